"""Sentences that go on in the next file of an e-book, marks of notes, and comments in OpenDocument."""

from __future__ import annotations

from tests.ingest.conftest import Write
from tests.ingest.readers.builders import make_epub, make_odf, read

NO_CONTENTS = {"OEBPS/toc.ncx": "<ncx/>"}


def _book(write: Write, *chapters: str) -> str:
    named = {f"c{index}": body for index, body in enumerate(chapters)}
    return read(write("a.epub", make_epub(named, more=NO_CONTENTS))).text


def test_a_sentence_over_two_files_is_one(write: Write) -> None:
    assert _book(write, "<p>The valve is opened</p>", "<p>by the keeper.</p><p>Then it rains.</p>") == (
        "The valve is opened by the keeper.\n\nThen it rains."
    )
    assert _book(write, "<p>水泵的工作压力</p>", "<p>是四十巴。</p>") == "水泵的工作压力是四十巴。"


def test_a_sentence_that_is_closed_is_not_joined(write: Write) -> None:
    assert _book(write, "<p>It is open.</p>", "<p>and so on</p>") == "It is open.\n\nand so on"
    assert _book(write, "<p>It is open</p>", "<h1>on we go</h1><p>Text.</p>") == "It is open\n\non we go\n\nText."
    assert _book(write, "<p>It is open</p>", "<p>Next day.</p>") == "It is open\n\nNext day."


def test_marks_of_notes_do_not_stick_to_words(write: Write) -> None:
    body = (
        '<p>The valve<a epub:type="noteref" href="n.xhtml#n1">1</a> is<sup><a href="#n2">2</a></sup> open<a href="#n3"><sup>*</sup></a>.'
        " It covers 5 m<sup>2</sup> and <a href='#x'>3</a> of <a href='b#c'>them</a>.</p>"
    )
    expected = "The valve (1) is (2) open (*). It covers 5 m2 and 3 of them."
    assert _book(write, body) == expected
    assert read(write("a.html", f"<html><body>{body}</body></html>".encode())).text == expected


def _comment(text: str, author: str = "") -> str:
    creator = f'<dc:creator xmlns:dc="http://purl.org/dc/elements/1.1/">{author}</dc:creator>' if author else ""
    return f"<office:annotation>{creator}<text:p>{text}</text:p></office:annotation>"


def test_comments_in_opendocument(write: Write) -> None:
    text = f"<text:p>One{_comment('Why one?', 'Li')} two.</text:p><text:p>Three.</text:p>"
    assert read(write("a.odt", make_odf("text", text))).text == "One two.\n\nComment by Li: Why one?\n\nThree."
    cell = f"<table:table-cell>{_comment('Too long')}<text:p>Rope</text:p></table:table-cell>"
    sheet = f'<table:table table:name="S"><table:table-row>{cell}</table:table-row></table:table>'
    assert read(write("a.ods", make_odf("spreadsheet", sheet))).text == "S\n\nRope\n\nComment on Rope: Too long"
    slide = f"<draw:page>{_comment('Larger type', 'Bo')}<text:p>Words</text:p></draw:page>"
    assert "Comment by Bo: Larger type" in read(write("a.odp", make_odf("presentation", slide))).text
    assert "Comment: Too long" in read(write("b.odt", make_odf("text", sheet.replace("Rope", "")))).text
