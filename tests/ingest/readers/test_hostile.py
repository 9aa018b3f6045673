"""Every format against empty, cut, mistaken and malicious files: a text or an error of ours, and nothing else."""

from __future__ import annotations

import contextlib
import io
import random
import zipfile

import pytest
from PIL import Image

from ingest.readers.ocr.recognition import Ocr, OcrLine, Picture
from ingest.readers.registry import FILE_TYPES, FileType, read_file
from rag.errors import DocentError, UnreadableError
from tests.ingest.conftest import Write, make_docx, make_pdf, make_zip, paragraph
from tests.ingest.readers.builders import make_bomb, make_epub, make_odf, make_pptx, make_xlsx, row, shape
from tests.ingest.readers.test_text_formats import RST, RTF

LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "lol"}">' for i in range(12))
DOCTYPE = f"<!DOCTYPE x [{LAUGHS}]>"


def picture(kind: str, *, pages: int = 1) -> bytes:
    """A small picture of a number of pages."""
    buffer, page = io.BytesIO(), Image.linear_gradient("L").resize((60, 40))
    more = {"save_all": True, "append_images": [page] * (pages - 1)} if pages > 1 else {}
    page.save(buffer, kind, **more)  # type: ignore[arg-type]
    return buffer.getvalue()


class OneLine:
    """Recognises the same in every picture."""

    dpi = 72
    available = True

    def recognise(self, picture: Picture, *, seconds: float) -> list[OcrLine]:
        assert len(picture.pixels) == picture.width * picture.height
        return [OcrLine("Some text", 0, 0, 50, 10, 99)]


SAMPLES = {
    ".pdf": make_pdf([[("Some text on a page.", 11, False, 700)], [("More of it.", 11, False, 700)]]),
    ".docx": make_docx(paragraph("Some text.") * 20),
    ".pptx": make_pptx([shape("Title", kind="title") + shape("text"), shape("more")]),
    ".xlsx": make_xlsx({"S": row(1, "a", "b") + row(2, "c", "d")}, strings=["x"], formats=["0%"]),
    ".odt": make_odf("text", "<text:h>Head</text:h><text:p>Some text.</text:p>"),
    ".ods": make_odf("spreadsheet", "<table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell></table:table-row></table:table>"),
    ".odp": make_odf("presentation", "<draw:page><draw:frame><text:p>a</text:p></draw:frame></draw:page>"),
    ".epub": make_epub({"one": "<h1>First</h1><p>Some text.</p>"}),
    ".html": b"<html><body><h1>A</h1><table><tr><td>b</td></tr></table></body></html>",
    ".md": b"# Title\n\n- a\n- b\n\n```\n# code\n```\n",
    ".rst": RST,
    ".rtf": RTF,
    ".eml": b"From: a@b.c\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=q\n\n--q\n\nBody\n--q--\n",
    ".csv": b"a,b\n1,2\n3,4\n",
    ".json": b'{"a": [1, {"b": "c"}], "d": null}',
    ".jsonl": b'{"a": 1}\n{"a": 2}\n',
    ".ipynb": b'{"cells": [{"cell_type": "code", "source": "x", "outputs": [{"output_type": "stream", "text": "y"}]}]}',
    ".txt": b"Plain text.\n",
    ".py": b"def f():\n    return 1\n",
    ".png": picture("PNG"),
    ".jpg": picture("JPEG"),
    ".tif": picture("TIFF", pages=3),
    ".webp": picture("WEBP"),
}  # fmt: skip


MANY_MEMBERS = make_zip({f"{i}": b"" for i in range(10_001)})


def attempt(write: Write, name: str, data: bytes) -> str:
    """The code of the error, or "" for a document, which then has text."""
    try:
        document = read_file(write(name, data), name, ocr=Ocr(seconds=60, engine=OneLine()))
    except DocentError as error:
        return error.code
    assert document.text.strip()
    return ""


@pytest.mark.parametrize("file_type", FILE_TYPES, ids=lambda file_type: file_type.extensions[0])
def test_every_type_has_a_sample_that_reads_and_an_empty_one(write: Write, file_type: FileType) -> None:
    extension = file_type.extensions[0]
    assert attempt(write, f"a{extension}", SAMPLES[extension]) == ""
    assert attempt(write, f"a{extension}", b"") == "empty"
    assert attempt(write, f"a{extension}", b"\n \n") in ("no_text", "unreadable")
    assert attempt(write, f"a{extension}", bytes(range(256)) * 20) in ("unsupported_type", "unreadable")


@pytest.mark.parametrize("extension", SAMPLES)
def test_cut_and_flipped(write: Write, extension: str) -> None:
    sample, chance = SAMPLES[extension], random.Random(extension)
    for _ in range(12):
        attempt(write, f"a{extension}", sample[: chance.randrange(1, len(sample))])
        flipped = bytearray(sample)
        for _ in range(chance.randrange(1, 9)):
            flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        attempt(write, f"a{extension}", bytes(flipped))


@pytest.mark.parametrize("extension", SAMPLES)
def test_under_every_other_name(write: Write, extension: str) -> None:
    for other in SAMPLES:
        attempt(write, f"a{other}", SAMPLES[extension])


@pytest.mark.parametrize(
    ("extension", "member"),
    [(".docx", "word/document.xml"), (".pptx", "ppt/slides/slide1.xml"), (".xlsx", "xl/worksheets/sheet1.xml"), (".odt", "content.xml"), (".epub", "OEBPS/one.xhtml")],
)  # fmt: skip
def test_bombs_in_packages(write: Write, extension: str, member: str) -> None:
    assert attempt(write, f"a{extension}", make_bomb(20, member)) == "archive_bomb"
    assert attempt(write, f"a{extension}", MANY_MEMBERS) == "archive_bomb"


@pytest.mark.parametrize(
    ("extension", "data"),
    [
        (".docx", make_docx(paragraph("&l11;"))),
        (".pptx", make_pptx([shape("&l11;")])),
        (".xlsx", make_xlsx({"S": row(1, "&l11;")})),
        (".odt", make_odf("text", "<text:p>&l11;</text:p>")),
        (".epub", make_epub({"one": "<p>&l11;</p>"})),
    ],
)
def test_billion_laughs(write: Write, extension: str, data: bytes) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(buffer, "w") as hostile:
        for name in archive.namelist():
            part = archive.read(name).decode().replace("<!DOCTYPE html>", "")
            declaration, _, rest = part.rpartition("?>")
            hostile.writestr(name, f"{declaration}?>{DOCTYPE}{rest}" if declaration else DOCTYPE + part)
    assert attempt(write, f"a{extension}", buffer.getvalue()) == "xml_entities"


@pytest.mark.parametrize("depth", [1000, 100_000])
def test_deep_nesting(write: Write, depth: int) -> None:
    deep = "<a:x>" * depth + "</a:x>" * depth
    with contextlib.suppress(UnreadableError):
        assert read_file(write("a.pptx", make_pptx([shape("seen"), deep])), "a.pptx").text == "seen"
    sections = "<text:section>" * depth + "<text:p>x</text:p>" + "</text:section>" * depth
    attempt(write, "a.odt", make_odf("text", sections))
    attempt(write, "a.html", b"<ul><li>" * depth + b"x")
    attempt(write, "a.json", b'{"a":' * depth + b"1" + b"}" * depth)
    attempt(write, "a.md", b"> " * depth + b"x")
    attempt(write, "a.eml", b"Subject: x\nContent-Type: message/rfc822\n\n" * min(depth, 5000) + b"x")
