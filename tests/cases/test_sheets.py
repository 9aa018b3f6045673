"""Blocks of a sheet after a blank row stay under their columns, and numbers of many digits are kept in full."""

from __future__ import annotations

import json

from ingest.readers.office.number_format import with_stored
from tests.cases.workbooks import make_merged_xlsx
from tests.ingest.conftest import Write
from tests.ingest.readers.builders import make_odf, make_xlsx, read, row

HEADER = ["Depot", "Staff", "Fuel", "Parts", "Rent"]


def _sheet(write: Write, rows: list[list[str]]) -> str:
    text = read(write("a.xlsx", make_merged_xlsx({"Costs": (rows, [])}))).text
    return text.removeprefix("Costs\n\n")


def test_totals_after_a_blank_row_keep_their_columns(write: Write) -> None:
    rows = [
        HEADER,
        ["Alder", "11", "200", "30", "500"],
        [],
        ["Total", "", "410", "", "1010"],
        [],
        ["Average", "", "", "", "505"],
    ]
    assert _sheet(write, rows) == (
        "Depot | Staff | Fuel | Parts | Rent\nAlder | 11 | 200 | 30 | 500\n\n"
        "Depot | Staff | Fuel | Parts | Rent\nTotal |  | 410 |  | 1010\n\n"
        "Depot | Staff | Fuel | Parts | Rent\nAverage |  |  |  | 505"
    )


def test_in_a_file_of_values_too(write: Write) -> None:
    text = read(write("a.csv", b"Depot,Staff,Fuel\nAlder,11,200\nBirch,12,210\n\nTotal,,410\n")).text
    assert text.endswith("Depot | Staff | Fuel\nTotal |  | 410")


def test_in_an_opendocument_sheet_too(write: Write) -> None:
    def line(*cells: str) -> str:
        texts = "".join(
            f"<table:table-cell>{f'<text:p>{cell}</text:p>' if cell else ''}</table:table-cell>" for cell in cells
        )
        return f"<table:table-row>{texts}</table:table-row>"

    body = line("Depot", "Staff", "Fuel") + line("Alder", "11", "200") + line("") + line("Total", "", "410")
    text = read(write("a.ods", make_odf("spreadsheet", f'<table:table table:name="S">{body}</table:table>'))).text
    assert text.endswith("Depot | Staff | Fuel\nTotal |  | 410")


def test_a_table_of_its_own_and_a_remark_are_not_drawn_under_the_header_above(write: Write) -> None:
    rows = [
        HEADER,
        ["Alder", "11", "200", "30", "500"],
        [],
        ["Checked in May"],
        [],
        ["Item", "", "Price"],
        ["Rope", "", "7"],
    ]
    assert _sheet(write, rows).endswith("\n\nChecked in May\n\nItem | Price\nRope | 7")


def test_a_table_beside_has_no_part_in_the_header_above(write: Write) -> None:
    rows = [["Depot", "Staff"], ["Alder", "11"], [], ["", "", "", "12", "14"], ["", "", "", "13", "15"]]
    assert _sheet(write, rows).endswith("\n\n12 | 14\n13 | 15")


def test_numbers_of_sixteen_digits_are_found_by_all_of_them(write: Write) -> None:
    cells = '<row r="1"><c r="A1" s="1"><v>4012888888881881</v></c><c r="B1"><v>4012888888881881</v></c><c r="C1"><v>12</v></c></row>'
    text = read(write("a.xlsx", make_xlsx({"S": row(2, "x") + cells}, formats=["0"]))).text
    assert "4012888888881880 (4012888888881881) | 4.0128888889E+15 (4012888888881881) | 12" in text


def test_with_stored() -> None:
    assert with_stored("4012888888881880", "4.012888888881881E15") == "4012888888881880 (4012888888881881)"
    assert with_stored("1,234,567,890,123,456", "1234567890123456") == "1,234,567,890,123,456"
    for shown, stored in (("0.33", "0.3333333333333333"), ("x", "nan"), ("x", "words of sixteen letters"), ("1", None)):
        assert with_stored(shown, stored) == shown


def test_in_opendocument_too(write: Write) -> None:
    cell = '<table:table-cell office:value-type="float" office:value="4012888888881881"><text:p>4.01E+15</text:p></table:table-cell>'
    body = f'<table:table table:name="S"><table:table-row>{cell}</table:table-row></table:table>'
    assert read(write("a.ods", make_odf("spreadsheet", body))).text == "S\n\n4.01E+15 (4012888888881881)"


def test_numbers_of_json_are_kept_as_they_are_written(write: Write) -> None:
    source = '{"card": 4012888888881881, "rate": 0.12345678901234567890, "price": 1.10, "far": 1e400}'
    json.loads(source)
    text = read(write("a.json", source.encode())).text
    assert text == "card: 4012888888881881\nrate: 0.12345678901234567890\nprice: 1.10\nfar: 1e400"
