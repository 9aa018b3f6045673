"""The boxes of a cited span on its page: the text that is found at those boxes is the text that was cited."""

from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from bench.highlights import check, measure, read_box
from ingest.readers.pdf import reader as pdf
from ingest.readers.pdf.boxes import Marked, boxes_of
from ingest.readers.pdf.picture import MAX_PIXELS, MAX_SIDE, PictureOrder, draw
from ingest.readers.sandbox.pool import ReaderPool
from rag.errors import EncryptedError, NotFoundError, UnreadableError
from tests.ingest.conftest import Write, make_chinese_pdf, make_pdf
from tests.ingest.readers.pdf_pages import Place, make_page
from tests.ingest.readers.test_pdf_pages import LEFT, RIGHT, SCAN, TITLE, grid

SAMPLES = Path(__file__).resolve().parents[3] / "data" / "samples"
COLUMNS: list[Place] = [(72, 720, TITLE)]
for _i, (_left, _right) in enumerate(zip(LEFT, RIGHT, strict=True)):
    COLUMNS += [(72, 690 - 14 * _i, _left), (320, 690 - 14 * _i, _right)]


def found(path: Path, quote: str, *, number: int = 1) -> tuple[list[str], Marked]:
    """What stands in the boxes of a quote, box by box."""
    parsed = pdf.read(path)
    span = parsed.pages[number - 1]
    text = parsed.text[span.start : span.end]
    start = text.index(quote)
    with closing(pypdfium2.PdfDocument(path)) as document:
        if document.get_formtype():
            document.init_forms()
        with closing(document[number - 1]) as page, closing(page.get_textpage()) as text_page:
            marked = boxes_of(document, page, text, start=start, end=start + len(quote))
            return [read_box(text_page, box).strip() for box in marked.boxes], marked


@pytest.mark.parametrize("name", ["welcome.pdf", "常见问题.pdf"])
def test_the_share_of_cited_words_found_in_their_boxes(name: str) -> None:
    tally = measure(SAMPLES / name, spans=40)
    assert tally.words > 100
    assert tally.share >= 0.995
    assert tally.exact >= 0.99 * tally.spans


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_columns_on_turned_pages(write: Write, rotate: int) -> None:
    path = write("a.pdf", make_page(COLUMNS, rotate=rotate))
    read, marked = found(path, "and\nit ends where the other one begins\nwith an end.\n\nThe right column")
    assert marked.found == marked.wanted
    if rotate in (0, 180):  # pdfium reads bounded text in lines of the page itself
        assert read == ["and", "it ends where the other one begins", "with an end.", "The right column"]
    assert len(marked.boxes) == 4
    for left, bottom, right, top in marked.boxes:
        across, along = (right - left, top - bottom) if rotate in (0, 180) else (top - bottom, right - left)
        assert 0 < along < 16 < across < 250


@pytest.mark.parametrize("by_column", [False, True])
def test_cells_that_hold_the_same(write: Write, by_column: bool) -> None:
    places = [(x, y, "$30" if text in ("$10", "$500") else text) for x, y, text in grid(by_column=by_column)]
    path = write("a.pdf", make_page([(72.0, 740.0, "Some words stand before it."), *places]))
    read, marked = found(path, "Plus plan | $30 | $30")
    assert "".join(read) == "Plus plan$30$30"
    assert {round(box[1] / 4) for box in marked.boxes} == {round(marked.boxes[0][1] / 4)}  # one row
    assert marked.found == marked.wanted


def test_a_hyphen_at_a_lines_end(write: Write) -> None:
    lines = [
        ("The informa-", 12, False, 700),
        ("tion is here and", 12, False, 685),
        ("information is there.", 12, False, 670),
    ]
    path = write("a.pdf", make_pdf([lines]))
    read, marked = found(path, "information\nis here")
    assert [line.rstrip("\x02-") for line in read] == ["informa", "tion is here"]
    assert marked.found == marked.wanted


def test_only_the_cited_one_of_equal_words(write: Write) -> None:
    path = write("a.pdf", make_page([(72, 700 - 20 * i, f"again and again {i}") for i in range(5)]))
    read, marked = found(path, "again 3")
    assert read == ["again 3"]
    assert 700 - 60 - 5 < marked.boxes[0][1] < 700 - 60 + 2


def test_chinese(write: Write) -> None:
    path = write("a.pdf", make_chinese_pdf("水泵的工作压力是四十巴"))
    read, marked = found(path, "工作压力")
    assert read == ["工作压力"]
    assert len(marked.boxes) == 1


def test_a_running_head_that_is_not_in_the_text(write: Write) -> None:
    pages = [
        [("Nordwind handbook", 10, False, 760)]
        + [(f"Nordwind says {word * (p + 1)} here", 10, False, 700 - 14 * n) for n, word in enumerate("abcdef")]
        for p in range(6)
    ]
    path = write("a.pdf", make_pdf(pages))
    assert "handbook" not in pdf.read(path).text[60:]
    read, _ = found(path, "says aaaa here\nNordwind", number=4)
    assert read == ["says aaaa here", "Nordwind"]


def test_a_form_marks_its_field(write: Write) -> None:
    path = write("a.pdf", make_page([(72, 700, "Application")], fields=[("Name", "Anna Li"), ("City", "Graz")]))
    _, marked = found(path, "City: Graz")
    assert marked.boxes == ((72, 580, 300, 592),)


def test_nothing_to_mark(write: Write) -> None:
    path = write("a.pdf", make_page([(72, 700, "Application")]))
    with closing(pypdfium2.PdfDocument(path)) as document, closing(document[0]) as page:
        assert boxes_of(document, page, "Application", start=0, end=0) == Marked((), 0, 0)
        assert boxes_of(document, page, "Entirely other text", start=0, end=8).boxes == ()
        assert check(document, page, "Application", 0, 11).exact


def coloured(png: bytes) -> tuple[tuple[int, int], tuple[int, int, int, int] | None]:
    """The size of a picture, and the frame of what is coloured in it."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    red, _, blue = image.split()
    mask = Image.composite(
        red.point(lambda v: 255 if v > 200 else 0),
        Image.new("L", image.size),
        blue.point(lambda v: 255 if v < 150 else 0),
    )
    return image.size, mask.getbbox()


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_the_picture_shows_the_mark_where_the_words_are(write: Write, rotate: int) -> None:
    path = write("a.pdf", make_page(COLUMNS, rotate=rotate))
    text = pdf.read(path).text
    start = text.index("The right column")
    picture = draw(path, {"number": 1, "width": 612, "text": text, "start": start, "end": start + 16})
    size, frame = coloured(picture.png)
    assert size == (612, 792)
    assert frame is not None
    left, upper, right, lower = frame
    assert 316 <= left <= 321
    assert 380 < right < 400
    assert 792 - 690 - 12 <= upper < lower <= 792 - 690 + 6
    assert picture.found == picture.wanted == 14


def test_cropped_page(write: Write) -> None:
    data = make_page([(72, 700, "Application"), (72, 100, "outside")])
    path = write("a.pdf", data.replace(b"/Rotate 0", b"/CropBox[50 600 350 750]/Rotate 0"))
    order = {"number": 1, "width": 300, "text": "Application", "start": 0, "end": 11}
    size, frame = coloured(draw(path, order).png)
    assert size == (300, 150)
    assert frame is not None
    assert 20 <= frame[0] <= 24
    assert 750 - 700 - 12 <= frame[1] < frame[3] <= 750 - 700 + 6


def test_a_scan_is_drawn_without_a_mark(write: Write) -> None:
    picture = draw(write("a.pdf", SCAN), {"number": 1, "width": 300, "text": "Ask", "start": 0, "end": 3})
    assert coloured(picture.png)[1] is None
    assert (picture.found, picture.wanted) == (0, 3)


def test_light_on_dark_is_marked_too(write: Write) -> None:
    dark = make_page([(72, 700, "Application")])
    dark = dark.replace(b"BT /F1 10 Tf 72", b"0 0 0 rg 0 0 612 792 re f 1 g BT /F1 10 Tf 72")
    plain, marked = ({"number": 1, "width": 300, "text": "Application", "start": 0, "end": end} for end in (0, 11))
    path = write("a.pdf", dark)
    assert draw(path, plain).png != draw(path, marked).png


def test_pages_that_cannot_be_drawn(write: Write) -> None:
    good = make_page([(72, 700, "Application")])
    pool = ReaderPool(timeout_s=30, memory_mb=1024)
    try:
        for data, number, kind in (
            (good, 2, NotFoundError),
            (good, 0, NotFoundError),
            (b"%PDF-1.7 and no more", 1, UnreadableError),
        ):
            with pytest.raises(kind):
                pool.draw(write("a.pdf", data), PictureOrder(number, 300))
        for box in (b"0 0 9999999 1", b"0 0 1 9999999", b"0 0 0 0", b"0 0 612 792"):
            odd = good.replace(b"/MediaBox[0 0 612 792]", b"/MediaBox[%s]" % box)
            width, height = Image.open(io.BytesIO(pool.draw(write("a.pdf", odd), PictureOrder(1, 2400)).png)).size
            assert width * height <= MAX_PIXELS
            assert max(width, height) <= MAX_SIDE
    finally:
        pool.close()


def test_encrypted(write: Write) -> None:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(make_page([(72, 700, "Application")]))))
    writer.encrypt("secret", algorithm="RC4-128")
    target = io.BytesIO()
    writer.write(target)
    with pytest.raises(EncryptedError):
        draw(write("a.pdf", target.getvalue()), {"number": 1, "width": 300})
