"""E-books and OpenDocument files: golden text, and protection."""

from __future__ import annotations

import io
import zipfile

import pytest

from rag.errors import EncryptedError, UnreadableError
from rag.types import PageSpan
from tests.ingest.conftest import Write
from tests.ingest.readers.builders import make_epub, make_odf, package, read


def test_epub(write: Write) -> None:
    chapters = {
        "one": '<h1>First</h1><p>Text<a id="x"/> goes on.</p><ul><li>item</li></ul>',
        "two": "<p>No heading here.</p>",
    }
    document = read(write("a.epub", make_epub(chapters)))
    assert document.text == "First\n\nText goes on.\n\n- item\n\nNo heading here."
    assert [(h.title, document.text[h.start :][:2]) for h in document.headings] == [
        ("First", "Fi"),
        ("Chapter two", "No"),
    ]
    assert document.metadata == {"title": "The Book", "author": "An Author"}


def test_epub_with_a_missing_chapter(write: Write) -> None:
    data = make_epub({"one": "<p>Here.</p>"}, more={"OEBPS/book.opf": (
        '<package><manifest><item id="a" href="one.xhtml" media-type="application/xhtml+xml"/><item id="b" href="gone.xhtml"'
        ' media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>'
    )})  # fmt: skip
    assert read(write("a.epub", data)).warnings == ("Missing or damaged chapters: gone.xhtml.",)


@pytest.mark.parametrize(("method", "readable"), [("http://www.idpf.org/2008/embedding", True), ("urn:drm", False)])
def test_epub_with_protection(write: Write, method: str, readable: bool) -> None:
    more = {"META-INF/encryption.xml": f'<encryption><EncryptionMethod Algorithm="{method}"/></encryption>'}
    path = write("a.epub", make_epub({"one": "<p>Here.</p>"}, more=more))
    if readable:
        assert read(path).text == "Here."
    else:
        with pytest.raises(EncryptedError):
            read(path)


def test_odt(write: Write) -> None:
    body = (
        '<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes><text:h text:outline-level="1">Head</text:h>'
        "<text:p>One<text:s text:c='2'/>two<text:line-break/>three<text:note><text:note-citation>1</text:note-citation>"
        "<text:note-body><text:p>a note</text:p></text:note-body></text:note>.<office:annotation><text:p>no</text:p>"
        "</office:annotation></text:p>"
        "<text:list><text:list-item><text:p>a</text:p><text:list><text:list-item><text:p>b</text:p></text:list-item></text:list>"
        "</text:list-item><text:list-item><text:p>c</text:p></text:list-item></text:list>"
        "<table:table><table:table-row><table:table-cell><text:p>Plan</text:p></table:table-cell><table:table-cell><text:p>Cost</text:p>"
        "</table:table-cell></table:table-row><table:table-row><table:table-cell><text:p>Basic</text:p></table:table-cell>"
        "<table:table-cell><text:p>5</text:p></table:table-cell></table:table-row></table:table>"
        "<text:p><draw:frame><draw:text-box><text:p>boxed</text:p></draw:text-box></draw:frame></text:p>"
    )
    document = read(write("a.odt", make_odf("text", body)))
    assert (
        document.text
        == "Head\n\nOne two\nthree [a note].\n\nComment: no\n\n- a\n  - b\n- c\n\nPlan | Cost\nBasic | 5\n\nboxed"
    )
    assert document.headings[0].level == 1
    assert document.metadata == {"title": "Deed", "author": "Li"}


def test_ods_with_repeated_cells(write: Write) -> None:
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    body = (
        '<table:table table:name="Sheet"><table:table-row>' + cell.format("A") + cell.format("B") + "</table:table-row>"
        '<table:table-row table:number-rows-repeated="2">' + cell.format("x") + cell.format("y") + "</table:table-row>"
        '<table:table-row table:number-rows-repeated="1048570"><table:table-cell table:number-columns-repeated="16384"/>'
        "</table:table-row></table:table>"
    )
    assert read(write("a.ods", make_odf("spreadsheet", body))).text == "Sheet\n\nA | B\nx | y\nx | y"


def test_odp(write: Write) -> None:
    page = (
        '<draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame>'
        "<draw:frame><draw:text-box><text:p>body</text:p></draw:text-box></draw:frame></draw:page>"
    )
    document = read(write("a.odp", make_odf("presentation", page.format("One") + page.format("Two"))))
    assert document.text == "One\n\nbody\n\nTwo\n\nbody"
    assert document.pages == (PageSpan(1, 0, 9), PageSpan(2, 11, 20))
    assert [(h.level, h.title) for h in document.headings] == [(1, "One"), (2, "Two")]


def test_odt_with_a_password(write: Write) -> None:
    with pytest.raises(EncryptedError):
        read(write("a.odt", make_odf("text", "<text:p>a</text:p>", manifest="<encryption-data/>")))


@pytest.mark.parametrize("name", ["a.odt", "a.epub"])
def test_other_archives(write: Write, name: str) -> None:
    from tests.ingest.conftest import make_zip

    with pytest.raises(UnreadableError, match="but not an"):
        read(write(name, make_zip({"a.txt": b"x"})))


def test_a_damaged_text_is_read_as_far_as_it_goes(write: Write) -> None:
    with zipfile.ZipFile(
        io.BytesIO(make_odf("text", "<text:p>The first.</text:p><text:p>The second.</text:p>"))
    ) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    document = read(write("a.odt", package(members | {"content.xml": members["content.xml"][:-70]})))
    assert document.text.startswith("The first.")
    assert "damaged" in document.warnings[0]
