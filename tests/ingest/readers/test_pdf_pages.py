"""PDF pages whose layout has to be understood: columns, tables, turned pages, forms, and pictures of text."""

from __future__ import annotations

import os
import shutil
import stat
import zlib
from pathlib import Path

import pytest

from ingest.readers.ocr.recognition import Ocr, Picture
from ingest.readers.ocr.tesseract import Tesseract, installed_languages
from ingest.readers.pdf import reader as pdf
from ingest.readers.sandbox.pool import ReaderPool
from rag.errors import UnreadableError
from tests.ingest.conftest import Write, _assembled
from tests.ingest.readers.builders import read
from tests.ingest.readers.pdf_pages import Place, make_page

LEFT = ["The left column of a page of prose", "goes on for a number of lines that", "fill most of its width, as the lines",
        "of a printed journal mostly do, and", "it ends where the other one begins", "with an end."]  # fmt: skip
RIGHT = ["The right column follows the left one", "and must not be mixed with it, since", "no sentence would make any sense if",
         "it were read straight across both of", "the columns, as they come when their", "lines are drawn row by row here."]  # fmt: skip
TITLE = "A title that goes over both columns of the page, from the left to the far right edge"
CELLS = [
    ("Plan", "Deductible", "Copay"),
    ("Basic", "$1,500", "$30"),
    ("Plus plan", "$500", "$10"),
    ("Best", "none", "none at all"),
]
TABLE = "\n".join(" | ".join(cells) for cells in CELLS)


def grid(*, by_column: bool = False) -> list[Place]:
    places = [(i, j) for i in range(4) for j in range(3)]
    order = sorted(places, key=lambda place: (place[1], place[0])) if by_column else places
    return [(72 + 140 * j, 700 - 14 * i, CELLS[i][j]) for i, j in order]


def test_columns(write: Write) -> None:
    texts: list[Place] = [(72, 720, TITLE)]
    for i, (left, right) in enumerate(zip(LEFT, RIGHT, strict=True)):
        texts += [(72, 690 - 14 * i, left), (320, 690 - 14 * i, right)]
    texts.append((72, 580, TITLE))
    text = read(write("a.pdf", make_page(texts))).text
    assert text.split() == " ".join([TITLE, *LEFT, *RIGHT, TITLE]).split()


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("by_column", [False, True])
def test_table(write: Write, rotate: int, by_column: bool) -> None:
    texts: list[Place] = [(72, 740, "Some words stand before it."), *grid(by_column=by_column)]
    texts += [(72, 600, "1."), (100, 600, "an item"), (72, 586, "2."), (100, 586, "another item")]
    text = read(write("a.pdf", make_page(texts, rotate=rotate))).text
    assert text == f"Some words stand before it.\n\n{TABLE}\n\n1. an item\n2. another item"


def test_a_lone_wide_gap_is_no_table(write: Write) -> None:
    texts = [(72, 700, "Contoso"), (400, 700, "Page 3"), (72, 680, "Ordinary text goes on below.")]
    assert " | " not in read(write("a.pdf", make_page(texts))).text  # type: ignore[arg-type]


def test_form(write: Write) -> None:
    data = make_page([(72, 700, "Application")], fields=[("Name", "Anna Li"), ("City", "Graz"), ("Empty", "")])
    assert read(write("a.pdf", data)).text == "Application\n\nName: Anna Li\nCity: Graz"


def picture_of(data: bytes) -> bytes:
    """A PDF whose only page is a picture of the first page of another."""
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    bitmap = document[0].render(scale=2, grayscale=True)
    pixels = bytes(bitmap.buffer)
    rows = b"".join(pixels[i * bitmap.stride : i * bitmap.stride + bitmap.width] for i in range(bitmap.height))
    packed, content = zlib.compress(rows), b"q 612 0 0 792 0 0 cm /I Do Q"
    document.close()
    return _assembled(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</XObject<</I 5 0 R>>>>/Contents 4 0 R>>",
            b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
            b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/FlateDecode/Length %d>>"
            b"stream\n%s\nendstream" % (bitmap.width, bitmap.height, len(packed), packed),
            b"<<>>",
        ]
    )


SCAN = picture_of(make_page([(72, 700, "The annual leave is fifteen days."), (72, 660, "Ask the office.")], size=16))
WORDS = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n" + "".join(
    f"5\t1\t1\t1\t{line}\t1\t100\t{top}\t9\t40\t{confidence}\t{text}\n"
    for line, top, confidence, text in [
        (1, 100, 96, "Two"),
        (1, 100, 90, "words"),
        (2, 160, 9, "noise"),
        (3, 700, 95, '年 假 "x'),
    ]
)


@pytest.fixture
def fake_tesseract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of that name that knows one page."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "words.tsv").write_text(WORDS, encoding="utf-8")
    program = folder / "tesseract"
    program.write_text(
        f'#!/bin/sh\nif [ "$1" = --list-langs ]; then echo List; echo eng; else cat > "{folder}/seen.pgm"; cat "{folder}/words.tsv"; fi\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_ocr_of_a_scan(write: Write, fake_tesseract: Path) -> None:
    document = pdf.read(write("a.pdf", SCAN), ocr=Ocr(seconds=60, engine=Tesseract()))
    assert document.text == 'Two words\n\n年假 "x' or document.text == 'Two words\n年假 "x'
    assert document.warnings == ("Pictures of text, read by OCR, so letters may be wrong: page 1.",)
    assert (fake_tesseract / "seen.pgm").read_bytes().startswith(b"P5 2550 330")


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_ocr_through_the_pool(write: Write, fake_tesseract: Path) -> None:
    path = write("a.pdf", SCAN)
    for ocr, readable in (("tesseract", True), ("off", False)):
        pool = ReaderPool(timeout_s=60, memory_mb=1024, ocr=ocr)
        try:
            if readable:
                assert pool.read(path, "a.pdf").text.startswith("Two words")
            else:
                with pytest.raises(UnreadableError, match="set DOCENT_OCR to auto"):
                    pool.read(path, "a.pdf")
        finally:
            pool.close()


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_ocr_without_time_or_with_a_failing_program(write: Write, fake_tesseract: Path) -> None:
    with pytest.raises(UnreadableError, match="time for OCR was up"):
        pdf.read(write("a.pdf", SCAN), ocr=Ocr(seconds=0, engine=Tesseract()))
    program = fake_tesseract / "tesseract"
    program.write_text(program.read_text().replace("cat >", "exit 1; cat >"))
    installed_languages.cache_clear()
    assert Ocr(seconds=9, engine=Tesseract()).recognise(Picture(b"\xff", 1, 1)) is None


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")
def test_real_ocr(write: Write) -> None:
    text = pdf.read(write("a.pdf", SCAN), ocr=Ocr(seconds=60, engine=Tesseract())).text
    assert text.split() == "The annual leave is fifteen days. Ask the office.".split()


def test_fields_and_notes_alone_are_a_text(write: Write) -> None:
    notes = [("Text", "Check this"), ("FreeText", "Typed on the page"), ("Link", "no words"), ("Highlight", "")]
    page = make_page([], fields=[("City", "Bern")], notes=notes)
    assert read(write("a.pdf", page)).text == "City: Bern\nNote: Check this\nTyped on the page"
