"""Workbooks (.xlsx) with merged cells, written by hand."""

from __future__ import annotations

from tests.ingest.readers.builders import S, package, relations

Sheet = tuple[list[list[str]], list[str]]
"""Rows of texts (numbers are numbers, "" is no cell), and the ranges that are merged."""


def make_merged_xlsx(sheets: dict[str, Sheet]) -> bytes:
    """A workbook of these sheets."""
    names = list(sheets)
    nodes = "".join(f'<sheet name="{name}" sheetId="{i + 1}" r:id="r{i}"/>' for i, name in enumerate(names))
    members: dict[str, str | bytes] = {
        "_rels/.rels": relations({"m": "officeDocument:xl/workbook.xml"}),
        "xl/workbook.xml": f"<workbook {S}><sheets>{nodes}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": relations(
            {f"r{i}": f"worksheet:worksheets/sheet{i}.xml" for i in range(len(names))}
        ),
    }
    for i, (rows, merged) in enumerate(sheets.values()):
        data = "".join(
            f'<row r="{y + 1}">{"".join(_cell(x, y, text) for x, text in enumerate(row))}</row>'
            for y, row in enumerate(rows)
        )
        ranges = "".join(f'<mergeCell ref="{each}"/>' for each in merged)
        members[f"xl/worksheets/sheet{i}.xml"] = (
            f'<worksheet {S}><sheetData>{data}</sheetData><mergeCells count="{len(merged)}">{ranges}</mergeCells></worksheet>'
        )
    return package(members)


def _cell(x: int, y: int, text: str) -> str:
    place = f"{chr(65 + x)}{y + 1}"
    if not text:
        return f'<c r="{place}" s="0"/>'
    if text.lstrip("-").isdigit():
        return f'<c r="{place}"><v>{text}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'
