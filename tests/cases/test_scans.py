"""Scans and photographs, from pages that the test draws itself to their words, their marks, and what is refused."""

from __future__ import annotations

import io
import os
import re
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import matplotlib
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ingest.readers.ocr.engines import engine_of
from ingest.readers.ocr.recognition import Engine, Ocr, OcrLine, Picture
from ingest.readers.pdf.boxes import boxes_of
from ingest.readers.pdf.picture import PictureOrder
from ingest.readers.pdf.recognised import character_edges, page_of
from ingest.readers.registry import media_type_of, read_file
from ingest.readers.sandbox.pool import ReaderPool
from rag.errors import TooLargeError, UnreadableError
from rag.types import ParsedDocument

LATIN = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
CJK = next(Path("/usr/share/fonts").glob("**/NotoSansCJK-Regular.ttc"), None)
ENGLISH = [
    "Employees receive fifteen days of annual leave in each calendar year.",
    "Leave that is not taken by the end of March expires without payment.",
    "Requests go to the office at least two weeks before the first day.",
    "The pump in hall four runs at 40 bar and is inspected every Tuesday.",
    "Invoices over 2,500 euros need a second signature from the treasurer.",
    "Visitors wear a yellow badge and are met at the northern entrance.",
]
CHINESE = [
    "员工每年享有十五天带薪年假，需提前两周申请。",
    "三月底以前没有休完的假期自动作废，不予补偿。",
    "四号车间的水泵工作压力为四十巴，每周二检查。",
    "超过两千五百元的发票必须由财务主管再次签字。",
    "访客应佩戴黄色证件，并在北门由员工接待入内。",
]

needs_rapid = pytest.mark.skipif(
    find_spec("rapidocr") is None and not os.environ.get("CI"), reason="RapidOCR is not installed"
)
needs_cjk = pytest.mark.skipif(
    CJK is None and not os.environ.get("CI"), reason="Noto CJK is not installed (Debian: fonts-noto-cjk)"
)


def drawn(lines: Sequence[str], font: Path | None = LATIN, *, size: int = 36, turned: float = 0.0) -> Image.Image:
    """A page of A4 at 150 dpi, as a scanner gives it: somewhat grey and blurred, `turned` by a few degrees."""
    assert font is not None
    page = Image.new("L", (1240, 1754), 245)
    draw, face = ImageDraw.Draw(page), ImageFont.truetype(str(font), size * 2 // 3)
    for index, line in enumerate(lines):
        draw.text((120, 150 + int(size * 1.6) * index), line, font=face, fill=30)
    return page.rotate(turned, fillcolor=245, resample=Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(0.6))


def scan(path: Path, pages: Sequence[Image.Image]) -> Path:
    """A PDF whose pages are pictures."""
    pages[0].save(path, "PDF", save_all=True, append_images=list(pages[1:]), resolution=150)
    return path


def words(text: str) -> list[str]:
    """Latin words, and each Chinese character for a word."""
    return re.findall(r"[0-9A-Za-z,]+|[\u4e00-\u9fff]", text)


def share_right(wanted: Sequence[str], text: str) -> float:
    expected, got = Counter(words(" ".join(wanted))), Counter(words(text))
    return (expected & got).total() / expected.total()


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    found = ReaderPool(timeout_s=120, memory_mb=2048, ocr="rapidocr", ocr_timeout_s=300)
    yield found
    found.close()


@needs_rapid
def test_words_of_a_scan(pool: ReaderPool, tmp_path: Path) -> None:
    path = scan(tmp_path / "a.pdf", [drawn(ENGLISH), drawn(ENGLISH[::-1], turned=0.5)])
    heard: list[tuple[int, int]] = []
    document = pool.read(path, "a.pdf", progress=lambda done, total: heard.append((done, total)))
    for page in document.pages:
        assert share_right(ENGLISH, document.text[page.start : page.end]) >= 0.9
    assert document.text.index("Employees") < document.text.index("Visitors")  # from top to bottom
    assert document.warnings == ("Pictures of text, read by OCR, so letters may be wrong: pages 1-2.",)
    assert heard[0] == (1, 2)


@needs_rapid
@needs_cjk
def test_words_of_a_chinese_scan(pool: ReaderPool, tmp_path: Path) -> None:
    document = pool.read(scan(tmp_path / "a.pdf", [drawn(CHINESE, CJK)]), "a.pdf")
    assert share_right(CHINESE, document.text) >= 0.9


def yellow_box(png: bytes) -> tuple[int, int, int, int]:
    """The smallest box around all that is marked, in pixels."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    mask = Image.new("1", image.size)
    pixels, out = image.load(), mask.load()
    assert pixels is not None
    assert out is not None
    for y in range(image.height):
        for x in range(image.width):
            red, _, blue = pixels[x, y]  # type: ignore[misc]
            out[x, y] = red - blue > 60
    box = mask.getbbox()
    assert box is not None, "nothing is marked"
    return box


@needs_rapid
@pytest.mark.parametrize("name", ["a.pdf", "a.png"])
def test_a_cited_line_is_marked_where_it_stands(pool: ReaderPool, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    scan(path, [drawn(ENGLISH)]) if name.endswith("pdf") else drawn(ENGLISH).save(path)
    text = pool.read(path, name).text
    start = text.index(ENGLISH[3])
    order = PictureOrder(number=1, width=620, text=text, start=start, end=start + len(ENGLISH[3]))
    picture = pool.draw(path, order)
    assert picture.wanted
    assert picture.found == picture.wanted
    left, top, right, bottom = yellow_box(picture.png)
    face = ImageFont.truetype(str(LATIN), 24)
    where = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((120, 150 + int(36 * 1.6) * 3), ENGLISH[3], font=face)
    inked = [edge / 2 for edge in where]  # the picture is drawn at half the size
    assert left - 1 <= inked[0]
    assert right + 1 >= inked[2]
    assert top - 1 <= inked[1]
    assert bottom + 1 >= inked[3]
    assert bottom - top < 2 * (inked[3] - inked[1])  # and not its neighbours


@needs_rapid
def test_a_word_is_marked_within_its_line(pool: ReaderPool, tmp_path: Path) -> None:
    path = scan(tmp_path / "a.pdf", [drawn(ENGLISH)])
    text = pool.read(path, "a.pdf").text
    start = text.index("annual leave")
    picture = pool.draw(path, PictureOrder(number=1, width=620, text=text, start=start, end=start + 12))
    left, _, right, _ = yellow_box(picture.png)
    face, pen = ImageFont.truetype(str(LATIN), 24), ImageDraw.Draw(Image.new("L", (1, 1)))
    before, line = ENGLISH[0].split("annual")[0], ENGLISH[0].split(" in each")[0]
    begin, end = (60 + pen.textlength(part, font=face) / 2 for part in (before, line))
    assert abs(left - begin) < 20
    assert abs(right - end) < 20


@needs_rapid
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_photograph_is_a_document(pool: ReaderPool, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"board.{kind.lower()}"
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, as telephones note it
    drawn(ENGLISH).rotate(90, expand=True).save(path, kind, exif=exif)
    document = pool.read(path, path.name)
    assert share_right(ENGLISH, document.text) >= 0.9
    assert [page.number for page in document.pages] == [1]


@needs_rapid
def test_the_pages_of_a_tiff(pool: ReaderPool, tmp_path: Path) -> None:
    path = tmp_path / "fax.tif"
    pages = [drawn(ENGLISH[:3]), drawn([]), drawn(ENGLISH[3:])]
    pages[0].convert("1").save(path, save_all=True, append_images=[page.convert("1") for page in pages[1:]])
    document = pool.read(path, "fax.tif")
    assert [page.number for page in document.pages] == [1, 2, 3]
    first, _, third = (document.text[page.start : page.end] for page in document.pages)
    assert share_right(ENGLISH[:3], first) >= 0.9
    assert share_right(ENGLISH[3:], third) >= 0.9
    assert document.warnings[0] == "No text, only pictures: page 2 (OCR found no text in them)."


@needs_rapid
def test_a_picture_without_text_is_no_document(pool: ReaderPool, tmp_path: Path) -> None:
    drawn([]).save(tmp_path / "sky.png")
    with pytest.raises(UnreadableError, match="OCR found no text") as caught:
        pool.read(tmp_path / "sky.png", "sky.png")
    assert caught.value.code == "no_text"


def png_of(width: int, height: int) -> bytes:
    """A PNG of some hundred bytes that unpacks to width times height pixels."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    packed = b"".join(rows.compress(row * 100) for _ in range(3)) + rows.flush()
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", packed) + part(b"IEND", b"")


@pytest.mark.parametrize("side", [9_000, 12_000, 60_000])
def test_a_bomb_is_refused(tmp_path: Path, side: int) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of(side, side))
    with pytest.raises(TooLargeError, match="64 million pixels"):
        read_file(path, "bomb.png", ocr=Ocr(seconds=9, engine=Known([])))


def test_damage_and_false_names(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    drawn(ENGLISH).save(buffer, "PNG")
    path = tmp_path / "a.png"
    path.write_bytes(buffer.getvalue()[:2000])
    with pytest.raises(UnreadableError, match="damaged"):
        read_file(path, "a.png", ocr=Ocr(seconds=9, engine=Known([])))
    assert media_type_of("scan.jpg", buffer.getvalue()[:4096]) == "image/png"
    assert media_type_of("scan", buffer.getvalue()[:4096]) == "image/png"
    path.write_text("no picture at all")
    with pytest.raises(UnreadableError, match="not a PNG picture"):
        read_file(path, "a.png")


def test_without_recognition_a_picture_says_what_to_do(tmp_path: Path) -> None:
    drawn(ENGLISH).save(tmp_path / "a.png")
    with pytest.raises(UnreadableError, match="set DOCENT_OCR to auto"):
        read_file(tmp_path / "a.png", "a.png")


@needs_rapid
def test_cancelling_ends_the_recognition(tmp_path: Path) -> None:
    path = scan(tmp_path / "long.pdf", [drawn(ENGLISH * 4)] * 30)
    pool = ReaderPool(timeout_s=120, memory_mb=2048, ocr="rapidocr", ocr_timeout_s=300)
    begun, outcome = threading.Event(), list[BaseException | ParsedDocument]()

    def reading() -> None:
        try:
            outcome.append(pool.read(path, "long.pdf", progress=lambda _done, _total: begun.set()))
        except UnreadableError as error:
            outcome.append(error)

    thread = threading.Thread(target=reading)
    thread.start()
    try:
        assert begun.wait(100)
        asked = time.monotonic()
        pool.abandon(path)
        thread.join(20)
        assert time.monotonic() - asked < 5
    finally:
        pool.close()
    (error,) = outcome
    assert isinstance(error, UnreadableError)
    assert error.code == "reader_abandoned"


class Known:
    """An engine that finds the same lines in every picture, after `seconds`."""

    dpi = 100
    available = True

    def __init__(self, lines: Sequence[OcrLine], seconds: float = 0.0) -> None:
        self._lines, self._seconds = lines, seconds

    def recognise(self, picture: Picture, *, seconds: float) -> list[OcrLine] | None:
        time.sleep(self._seconds)
        return list(self._lines)


def at(text: str, left: float, top: float) -> OcrLine:
    return OcrLine(text, left, top, left + 9 * len(text), top + 20, 99)


def test_pages_beyond_the_time_are_named(tmp_path: Path) -> None:
    engine: Engine = Known([at("Some words", 10, 10)], seconds=0.8)
    document = read_file(scan(tmp_path / "a.pdf", [drawn([])] * 3), "a.pdf", ocr=Ocr(seconds=1.5, engine=engine))
    assert document.text == "Some words"
    assert any("2-3" in warning and "time for OCR was up" in warning for warning in document.warnings)


def test_columns_and_cells_of_a_scan() -> None:
    left = ["The left column of a page of", "prose that goes on for lines", "which fill most of its width",
            "and it ends at the bottom of", "the page, where the other is", "taken up again by the reader"]  # fmt: skip
    found = [at(text, 10, 30 * i) for i, text in enumerate(left)] + [
        at(text[::-1], 400, 30 * i + 3) for i, text in enumerate(left)
    ]
    assert [line.text for line in page_of(found, height=800, dpi=72)] == [*left, *(text[::-1] for text in left)]
    cells = [at(text, 10 + 200 * j, 30 * i) for i in range(3) for j, text in enumerate((f"a{i}", f"b{i}", f"c{i}"))]
    assert [line.text for line in page_of(cells, height=800, dpi=72)] == [f"a{i} | b{i} | c{i}" for i in range(3)]


def test_the_characters_of_a_line_share_its_box() -> None:
    edges = list(character_edges(OcrLine("年假 15", 100, 50, 200, 80, 99)))
    assert (edges[0][0], edges[-1][2]) == (100, pytest.approx(200))
    assert all(one[2] == pytest.approx(two[0]) for one, two in pairwise(edges))
    assert edges[0][2] - edges[0][0] == pytest.approx(2 * (edges[-1][2] - edges[-1][0]))


def test_boxes_on_a_turned_page(tmp_path: Path) -> None:
    """A page that is shown turned is recognised as it is shown, and its boxes are those of its content."""
    import pypdfium2

    path = scan(tmp_path / "a.pdf", [drawn([])])
    with closing(pypdfium2.PdfDocument(path)) as document:
        page = document[0]
        width, _ = page.get_size()
        page.set_rotation(90)
        ocr = Ocr(seconds=9, engine=Known([at("Some words", 10, 20)]))
        (box,) = boxes_of(document, page, "Some words", start=0, end=10, ocr=ocr).boxes
        assert box[3] - box[1] == pytest.approx(90 * 0.72, abs=2)  # it runs upwards
        assert box[2] - box[0] == pytest.approx(20 * 0.72, abs=2)
        assert box[0] < width
        page.close()


def test_the_setting_chooses_the_engine() -> None:
    assert engine_of("off") is None
    for choice in ("rapidocr", "tesseract", "auto"):
        engine_of.cache_clear()
        engine = engine_of(choice)
        assert engine is not None
        assert choice == "auto" or type(engine).__name__.lower().startswith(choice[:5])
    engine_of.cache_clear()


@needs_rapid
def test_auto_takes_what_needs_no_installation() -> None:
    engine_of.cache_clear()
    assert type(engine_of("auto")).__name__ == "Rapid"
    engine_of.cache_clear()
