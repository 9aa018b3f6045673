"""Tables on pages that are turned, drawn turned, or drawn askew: each row has all its cells, in their order."""

from __future__ import annotations

from math import cos, radians, sin

import pytest

from tests.ingest.conftest import Write, _assembled, _escaped
from tests.ingest.readers.builders import read
from tests.ingest.readers.pdf_pages import Place, make_page

ROWS = [("Depot", "Staff", "Cost", "Share"), ("Alder", "100", "2000", "0.50"), ("Birch", "10", "300", "0"),
        ("Cedar", "0", "40", "0.10"), ("Dogwood", "1 000", "0", "10 %")]  # fmt: skip
TABLE = "\n".join(" | ".join(row) for row in ROWS)


def _places(*, right: bool = False) -> list[Place]:
    return [
        (172 + 110 * j - 6 * len(text) * right, 500 - 14 * i, text)
        for i, row in enumerate(ROWS)
        for j, text in enumerate(row)
    ]


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("right", [False, True])
def test_no_row_loses_a_zero(write: Write, rotate: int, right: bool) -> None:
    assert read(write("a.pdf", make_page(_places(right=right), rotate=rotate))).text == TABLE


@pytest.mark.parametrize("rotate", [90, 180, 270])
def test_drawn_turned_on_a_page_that_is_not(write: Write, rotate: int) -> None:
    said = b"/Rotate %d" % rotate
    data = make_page(_places(), rotate=rotate).replace(said, b"/Rotate 0".ljust(len(said)))
    assert read(write("a.pdf", data)).text == TABLE


@pytest.mark.parametrize("rotate", [90, 180, 270])
def test_drawn_upright_on_a_page_that_is_shown_turned(write: Write, rotate: int) -> None:
    data = make_page(_places()).replace(b"/Rotate 0", b"/Rotate %d" % rotate)
    assert read(write("a.pdf", data)).text == TABLE


@pytest.mark.parametrize("degrees", [3, 30, 45, 85, 135, 170, 225, 330])
def test_askew(write: Write, degrees: int) -> None:
    c, s = cos(radians(degrees)), sin(radians(degrees))
    texts = (b"BT /F1 10 Tf %f %f Td (%s) Tj ET\n" % (x, y, _escaped(text)) for x, y, text in _places())
    content = b"%f %f %f %f 0 0 cm " % (c, s, -s, c) + b"".join(texts)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[-900 -900 900 900]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R>>"
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
    stream = b"<</Length %d>>stream\n%s\nendstream" % (len(content), content)
    data = _assembled(
        [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1/Kids[3 0 R]>>", page, stream, font, b"<<>>"]
    )
    assert read(write("a.pdf", data)).text == TABLE
