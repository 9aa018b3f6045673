"""Columns are read one after the other, whatever the order in which a page draws its lines."""

from __future__ import annotations

import pytest

from tests.cases.typeset import ORDERS, broken, column, ordered, prose
from tests.ingest.conftest import Write
from tests.ingest.readers.builders import read
from tests.ingest.readers.pdf_pages import Place, make_page

TITLE = "A title that goes over all of the columns of the page, from the left to the far right edge of it"


def _text(write: Write, places: list[Place], **options: int) -> str:
    return " ".join(read(write("a.pdf", make_page(places, **options))).text.split())


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("gutter", [12, 14, 18, 36])
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("offset", [0, 5])
def test_columns(write: Write, order: str, gutter: int, count: int, offset: int) -> None:
    measure = (504 - gutter * (count - 1)) / count
    texts = [prose(120, seed) for seed in range(count)]
    columns = [column(text, 54 + i * (measure + gutter), 700 - offset * i, measure) for i, text in enumerate(texts)]
    assert _text(write, ordered(columns, order)) == " ".join(texts)


@pytest.mark.parametrize("order", ["columns", "rows", "shuffled"])
@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_columns_on_turned_pages(write: Write, order: str, rotate: int) -> None:
    texts = [prose(80, seed) for seed in range(2)]
    columns = [column(text, 54 + i * 260, 560, 244) for i, text in enumerate(texts)]
    assert _text(write, ordered(columns, order), rotate=rotate) == " ".join(texts)


@pytest.mark.parametrize("order", ["columns", "rows", "from the right"])
def test_a_title_above_and_a_line_below(write: Write, order: str) -> None:
    texts = [prose(80, seed) for seed in range(2)]
    columns = [column(text, 54 + i * 258, 680, 246) for i, text in enumerate(texts)]
    places = [(54, 720, TITLE), *ordered(columns, order), (54.0, 300.0, TITLE)]
    assert _text(write, places) == " ".join([TITLE, *texts, TITLE])


@pytest.mark.parametrize("order", ["columns", "rows", "shuffled"])
def test_columns_of_unequal_length(write: Write, order: str) -> None:
    texts = [prose(120, 1), prose(18, 2)]
    columns = [column(text, 54 + i * 258, 680, 246) for i, text in enumerate(texts)]
    assert _text(write, ordered(columns, order)) == " ".join(texts)


@pytest.mark.parametrize("order", ["columns", "rows"])
@pytest.mark.parametrize("lefts", [(54, 130, 400, 480), (54, 230, 430), (54, 312)])
def test_a_table_between(write: Write, order: str, lefts: tuple[int, ...]) -> None:
    texts = [prose(60, seed) for seed in range(4)]
    upper = [column(text, 54 + i * 258, 700, 246) for i, text in enumerate(texts[:2])]
    lower = [column(text, 54 + i * 258, 360, 246) for i, text in enumerate(texts[2:])]
    cells = [[f"cell {i}{j}" for j in range(len(lefts))] for i in range(4)]
    table: list[Place] = [(x, 460 - 14 * i, cells[i][j]) for i in range(4) for j, x in enumerate(lefts)]
    text = _text(write, [*ordered(upper, order), *table, *ordered(lower, order)])
    assert text == " ".join([*texts[:2], *(" | ".join(row) for row in cells), *texts[2:]])


@pytest.mark.parametrize("order", ["columns", "rows"])
def test_a_table_in_a_column(write: Write, order: str) -> None:
    texts = [prose(40, 1), prose(40, 2), prose(110, 3)]
    upper = column(texts[0], 54, 700, 246)
    table: list[Place] = [(x, 580 - 14 * i, f"cell {i}{j}") for i in range(3) for j, x in enumerate((54, 130, 220))]
    lower = column(texts[1], 54, 520, 246)
    places = ordered([[*upper, *table, *lower], column(texts[2], 312, 700, 246)], order)
    rows = " ".join(" | ".join(f"cell {i}{j}" for j in range(3)) for i in range(3))
    assert _text(write, places) == f"{texts[0]} {rows} {texts[1]} {texts[2]}"


def test_footnotes_do_not_stand_within_a_sentence(write: Write) -> None:
    whole = broken(prose(160, 5), 246)
    half = len(whole) // 2
    body = [
        (54 + 258 * (i >= half), 700 - 12 * (i % half if i < half else i - half), line) for i, line in enumerate(whole)
    ]
    low = 700 - 12 * half - 20
    notes = [
        (54, low, "1 See the yearly report of the board,"),
        (54, low - 9, "page nine of it."),
        (312, low - 9, "2 Ask the office."),
    ]
    text = " ".join(read(write("a.pdf", _two_sizes(body, notes))).text.split())
    assert text == f"{prose(160, 5)} 1 See the yearly report of the board, page nine of it. 2 Ask the office."


def _two_sizes(body: list[Place], notes: list[Place]) -> bytes:
    """A page of 10 points with notes of 8."""
    data = make_page([*body, *notes])
    for _, _, text in notes:
        line = data.index(f"({text})".encode())
        start = data.rindex(b"/F1 10 Tf", 0, line)
        data = data[:start] + b"/F1  8 Tf" + data[start + 9 :]
    return data


def test_a_word_broken_at_the_end_of_a_column(write: Write) -> None:
    left = [*column(prose(60, 1), 54, 700, 246)]
    left.append((54, left[-1][1] - 12, "The engine is tested near the eleva-"))
    right = [(312.0, 700.0, "tor of the hall, on the first Monday"), *column(prose(60, 2), 312, 688, 246)]
    for order in ("columns", "rows"):
        text = _text(write, ordered([left, right], order))
        assert "near the elevator of the hall, on the first Monday Item2x0" in text


def test_short_columns_below_a_heading(write: Write) -> None:
    places: list[Place] = [
        (54, 700, "Moor annex"), (312, 700, "Hill annex"),
        (54, 686, "The annex lists the spare parts. There are no"), (312, 686, "The annex lists the spare parts. There are no"),
        (54, 672, "spare parts for gauge type K3."), (312, 672, "spare parts for pump type P8."),
    ]  # fmt: skip
    assert _text(write, places) == (
        "Moor annex The annex lists the spare parts. There are no spare parts for gauge type K3. "
        "Hill annex The annex lists the spare parts. There are no spare parts for pump type P8."
    )


def test_a_table_of_descriptions_is_no_pair_of_columns(write: Write) -> None:
    rows = [("Pump of the northern hall", "Moves water to the upper basin"), ("Valve in the eastern yard", "Closes the main pipe of the town"),
            ("Gauge at the old bridge", "Shows the level of the river"), ("Lamp over the gate", "Lights the road for the guards"),
            ("Crane on the quay", "Lifts the crates of the ships"), ("Bell of the tower", "Rings on the hour and at noon")]  # fmt: skip
    places = [(x, 700 - 14 * i, text) for i, row in enumerate(rows) for x, text in zip((54, 312), row, strict=True)]
    assert _text(write, places) == " ".join(" | ".join(row) for row in rows)  # type: ignore[arg-type]


@pytest.mark.parametrize("order", ["backwards", "shuffled"])
def test_one_column_drawn_in_any_order(write: Write, order: str) -> None:
    text = prose(200, 3)
    assert _text(write, ordered([column(text, 54, 700, 480)], order)) == text


def test_head_and_foot_drawn_first(write: Write) -> None:
    text = prose(100, 4)
    places: list[Place] = [(54, 760, "Water board"), (54, 40, "Kept in the archive"), *column(text, 54, 700, 480)]
    assert _text(write, places) == f"Water board {text} Kept in the archive"
