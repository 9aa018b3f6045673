"""Cells that span rows or columns stand in each of them, in every format that has such cells."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ingest.readers.text.spans import Cell, laid_out
from tests.cases.workbooks import make_merged_xlsx
from tests.ingest.conftest import Write, make_docx
from tests.ingest.readers.builders import A, make_epub, make_odf, make_pptx, package, read

# Post | Guard | Morning (2) | Evening ; "Post" and "Guard" span two rows, "Gate" and "Quay" too
ROWS = """\
Post | Guard | Morning | Morning | Evening
Post | Guard | from | to | from
Gate | Alder | 6 | 14 | 14
Gate | Birch | 7 | 15 | 15
Quay | Cedar | 5 | 13 | 13
Quay | closed | closed | closed | 17"""
HTML = """<table><tr><th rowspan=2>Post</th><th rowspan="2">Guard</th><th colspan=2>Morning</th><th>Evening</th></tr>
<tr><th>from</th><th>to</th><th>from</th></tr>
<tr><td rowspan=2>Gate</td><td>Alder</td><td>6</td><td>14</td><td>14</td></tr>
<tr><td>Birch</td><td>7</td><td>15</td><td>15</td></tr>
<tr><td rowspan=2>Quay</td><td>Cedar</td><td>5</td><td>13</td><td>13</td></tr>
<tr><td colspan=3>closed</td><td>17</td></tr></table>"""


def _html() -> bytes:
    return f"<html><body><p>Rota</p>{HTML}</body></html>".encode()


def _markdown() -> bytes:
    return f"# Rota\n\n{HTML}\n\nEnd.\n".encode()


def _epub() -> bytes:
    return make_epub({"one": HTML.replace("=2>", '="2">').replace("=3>", '="3">')})


def _eml() -> bytes:
    return b"From: a@b.c\nSubject: Rota\nContent-Type: text/html\n\n" + _html()


def _docx() -> bytes:
    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>"

    start, below, two, three = (
        '<w:vMerge w:val="restart"/>',
        "<w:vMerge/>",
        '<w:gridSpan w:val="2"/>',
        '<w:gridSpan w:val="3"/>',
    )
    rows = [
        cell("Post", start) + cell("Guard", start) + cell("Morning", two) + cell("Evening"),
        cell("", below) + cell("", below) + cell("from") + cell("to") + cell("from"),
        cell("Gate", start) + "".join(map(cell, ("Alder", "6", "14", "14"))),
        cell("", below) + "".join(map(cell, ("Birch", "7", "15", "15"))),
        cell("Quay", start) + "".join(map(cell, ("Cedar", "5", "13", "13"))),
        cell("", below) + cell("closed", three) + cell("17"),
    ]
    return make_docx(f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>")


def _pptx() -> bytes:
    def cell(text: str, span: str = "") -> str:
        return f"<a:tc {span}><a:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></a:txBody></a:tc>"

    down, across = 'vMerge="1"', 'hMerge="1"'
    rows = [
        cell("Post", 'rowSpan="2"') + cell("Guard", 'rowSpan="2"') + cell("Morning", 'gridSpan="2"') + cell("", across) + cell("Evening"),
        cell("", down) + cell("", down) + cell("from") + cell("to") + cell("from"),
        cell("Gate", 'rowSpan="2"') + "".join(map(cell, ("Alder", "6", "14", "14"))),
        cell("", down) + "".join(map(cell, ("Birch", "7", "15", "15"))),
        cell("Quay", 'rowSpan="2"') + "".join(map(cell, ("Cedar", "5", "13", "13"))),
        cell("", down) + cell("closed", 'gridSpan="3"') + cell("", across) * 2 + cell("17"),
    ]  # fmt: skip
    table = "".join(f"<a:tr>{row}</a:tr>" for row in rows)
    return make_pptx(
        [
            f"<p:graphicFrame><a:graphic {A}><a:graphicData><a:tbl>{table}</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
        ]
    )


def _odf_table() -> str:
    def cell(text: str, rows: int = 1, columns: int = 1) -> str:
        spans = f'table:number-rows-spanned="{rows}" table:number-columns-spanned="{columns}"'
        return f"<table:table-cell {spans}><text:p>{text}</text:p></table:table-cell>"

    covered = "<table:covered-table-cell/>"
    rows = [
        cell("Post", 2) + cell("Guard", 2) + cell("Morning", 1, 2) + covered + cell("Evening"),
        '<table:covered-table-cell table:number-columns-repeated="2"/>' + cell("from") + cell("to") + cell("from"),
        cell("Gate", 2) + "".join(map(cell, ("Alder", "6", "14", "14"))),
        covered + "".join(map(cell, ("Birch", "7", "15", "15"))),
        cell("Quay", 2) + "".join(map(cell, ("Cedar", "5", "13", "13"))),
        covered + cell("closed", 1, 3) + covered * 2 + cell("17"),
    ]
    return f'<table:table table:name="Rota">{"".join(f"<table:table-row>{row}</table:table-row>" for row in rows)}</table:table>'


def _rst() -> bytes:
    return b"""\
+------+--------+------+----+---------+
| Post | Guard  | Morning   | Evening |
|      |        +------+----+---------+
|      |        | from | to | from    |
+======+========+======+====+=========+
| Gate | Alder  | 6    | 14 | 14      |
|      +--------+------+----+---------+
|      | Birch  | 7    | 15 | 15      |
+------+--------+------+----+---------+
| Quay | Cedar  | 5    | 13 | 13      |
|      +--------+------+----+---------+
|      | closed             | 17      |
+------+--------------------+---------+
"""


def _rtf() -> bytes:
    def row(cells: str, edges: str) -> str:
        return rf"\trowd {edges}\pard\intbl {cells}\row "

    tops, belows = r"\clvmgf\cellx1000", r"\clvmrg\cellx1000"
    rest = r"\cellx2000\cellx3000\cellx4000\cellx5000 "
    body = (
        row(r"Post\cell Guard\cell Morning\cell Evening\cell", rf"{tops}\clvmgf\cellx2000\cellx4000\cellx5000 ")
        + row(r"\cell \cell from\cell to\cell from\cell", rf"{belows}\clvmrg\cellx2000\cellx3000\cellx4000\cellx5000 ")
        + row(r"Gate\cell Alder\cell 6\cell 14\cell 14\cell", tops + rest)
        + row(r"\cell Birch\cell 7\cell 15\cell 15\cell", belows + rest)
        + row(r"Quay\cell Cedar\cell 5\cell 13\cell 13\cell", tops + rest)
        + row(
            r"\cell closed\cell \cell \cell 17\cell",
            rf"{belows}\clmgf\cellx2000\clmrg\cellx3000\clmrg\cellx4000\cellx5000 ",
        )
    )
    return (r"{\rtf1\ansi " + body + r"\pard End.\par}").encode()


def _xlsx() -> bytes:
    rows = [["Post", "Guard", "Morning", "", "Evening"], ["", "", "from", "to", "from"], ["Gate", "Alder", "6", "14", "14"],
            ["", "Birch", "7", "15", "15"], ["Quay", "Cedar", "5", "13", "13"], ["", "closed", "", "", "17"]]  # fmt: skip
    return make_merged_xlsx({"Rota": (rows, ["A1:A2", "B1:B2", "C1:D1", "A3:A4", "A5:A6", "B6:D6"])})


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.html", _html), ("a.epub", _epub), ("a.eml", _eml), ("a.docx", _docx), ("a.pptx", _pptx), ("a.rst", _rst),
        ("a.odt", lambda: make_odf("text", _odf_table())), ("a.ods", lambda: make_odf("spreadsheet", _odf_table())),
        ("a.rtf", _rtf), ("a.xlsx", _xlsx),
    ],
)  # fmt: skip
def test_every_format(write: Write, name: str, make: Callable[[], bytes]) -> None:
    assert ROWS in read(write(name, make())).text


def test_html_in_markdown_becomes_a_table_of_markdown(write: Write) -> None:
    text = read(write("a.md", _markdown())).text
    lines = [f"| {line} |" for line in ROWS.split("\n")]
    assert text == "\n".join(["# Rota\n", lines[0], "|---|---|---|---|---|", *lines[1:], "\nEnd."])


def test_html_in_markdown_that_is_code_or_has_no_spans_stays(write: Write) -> None:
    source = f"# Rota\n\n```html\n{HTML}\n```\n\n<table><tr><td>a</td></tr></table>"
    assert read(write("a.md", source.encode())).text == source


def test_a_title_over_the_whole_table_stands_once(write: Write) -> None:
    rows = [["Rota of week 12", "", ""], ["Post", "Guard", "from"], ["Gate", "Alder", "6"]]
    text = read(write("a.xlsx", make_merged_xlsx({"S": (rows, ["A1:C1"])}))).text
    assert text == "S\n\nRota of week 12\n\nPost | Guard | from\nGate | Alder | 6"
    html = "<table><tr><th colspan=3>Rota of week 12</th></tr><tr><td>Post</td><td>Guard</td><td>from</td></tr></table>"
    assert read(write("a.html", html.encode())).text == "Rota of week 12\nPost | Guard | from"


def test_a_block_of_rows_merged_as_one_stands_once_and_parts_nothing(write: Write) -> None:
    rows = [["Rota of week 12", "", ""], ["", "", ""], ["Post", "Guard", "from"], ["Gate", "Alder", "6"]]
    text = read(write("a.xlsx", make_merged_xlsx({"S": (rows, ["A1:C2"])}))).text
    assert text == "S\n\nRota of week 12\n\nPost | Guard | from\nGate | Alder | 6"


def test_a_cell_reaches_no_further_than_its_group_of_rows(write: Write) -> None:
    html = "<table><tbody><tr><td rowspan=0>a</td><td>b</td></tr><tr><td>c</td></tr></tbody><tbody><tr><td>d</td><td>e</td></tr></tbody></table>"
    assert read(write("a.html", html.encode())).text == "a | b\na | c\nd | e"


def test_spans_that_make_no_sense_cost_nothing() -> None:
    assert laid_out([[Cell("a", 2, 2), Cell("b")], [Cell("c", 1, 3)]]) == [["a", "a", "b"], ["a", "a", "c", "c", "c"]]
    assert laid_out([[Cell("x" * 500, 2), Cell("y")], [Cell("z")]]) == [["x" * 500, "y"], ["", "z"]]
    assert len(laid_out([[Cell("a", 1000, 1000)]] * 3)) == 3


def test_a_package_without_merged_cells_is_as_before() -> None:
    assert package({"a": "b"})
