"""Presentations and workbooks: golden text, and what they must say about what they cannot read."""

from __future__ import annotations

import io
import zipfile

import pytest

from ingest.readers.office.number_format import is_date, shown
from rag.errors import UnreadableError
from rag.types import Heading
from tests.ingest.conftest import Write
from tests.ingest.readers.builders import A, P, S, make_pptx, make_xlsx, package, read, relations, row, shape

TABLE = (
    "<p:graphicFrame><a:graphic><a:graphicData><a:tbl>"
    + "".join(
        "<a:tr>"
        + "".join(f"<a:tc><a:txBody><a:p><a:r><a:t>{cell}</a:t></a:r></a:p></a:txBody></a:tc>" for cell in cells)
        + "</a:tr>"
        for cells in (("Plan", "Cost"), ("Basic", "5 €"))
    )
    + "</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
)


def test_pptx_slides_titles_lists_tables(write: Write) -> None:
    slides = [
        shape("The Deck", kind="ctrTitle") + shape("A subtitle", kind="subTitle"),
        shape("one\ntwo", kind="body")
        + shape("Costs", kind="title")
        + TABLE
        + shape("7", kind="sldNum")
        + shape("free text"),
    ]
    document = read(write("a.pptx", make_pptx(slides)))
    assert document.text == "The Deck\n\nA subtitle\n\nCosts\n\n- one\n- two\n\nPlan | Cost\nBasic | 5 €\n\nfree text"
    assert document.headings == (Heading(1, "The Deck", 0), Heading(2, "Costs", 22))
    assert [(page.number, document.text[page.start : page.end][:5]) for page in document.pages] == [
        (1, "The D"),
        (2, "Costs"),
    ]


def test_pptx_notes_charts_and_diagrams(write: Write) -> None:
    frame = '<p:graphicFrame><a:graphic><a:graphicData><c:chart xmlns:c="c" r:id="c1"/><d:relIds xmlns:d="d" r:dm="d1"/></a:graphicData></a:graphic></p:graphicFrame>'
    points = "".join(f'<c:pt idx="{i}"><c:v>{value}</c:v></c:pt>' for i, value in enumerate((3, 4)))
    names = '<c:pt idx="0"><c:v>North</c:v></c:pt><c:pt idx="1"><c:v>South</c:v></c:pt>'
    series = f"<c:ser><c:tx><c:pt idx='0'><c:v>Sales</c:v></c:pt></c:tx><c:cat>{names}</c:cat><c:val>{points}</c:val></c:ser>"
    more = {
        "ppt/slides/_rels/slide1.xml.rels": relations(
            {"c1": "chart:../charts/c.xml", "d1": "diagramData:../d.xml", "n": "notesSlide:../notes.xml"}
        ),
        "ppt/charts/c.xml": f'<c:chart xmlns:c="c" {A}><c:title><a:p><a:r><a:t>By region</a:t></a:r></a:p></c:title>{series}</c:chart>',
        "ppt/d.xml": f'<d:data xmlns:d="d" {A}><d:pt><a:p><a:r><a:t>Step</a:t></a:r></a:p></d:pt></d:data>',
        "ppt/notes.xml": f"<p:notes {P}>{shape('Say hello', kind='body')}{shape('9', kind='sldNum')}</p:notes>",
    }
    document = read(write("a.pptx", make_pptx([frame], more=more)))
    assert document.text == "By region\n\n | Sales\nNorth | 3\nSouth | 4\n\n- Step\n\nNotes: Say hello"


def test_pptx_says_what_is_missing(write: Write) -> None:
    slides = [shape("Seen"), "", "<p:pic/>", shape("damaged")]
    data = make_pptx(slides, show=' show="0"', more={"ppt/slides/slide4.xml": "<p:sld"})
    assert read(write("a.pptx", data)).warnings == (
        "Damaged and left out: slide 4.",
        "No text, only pictures: slide 3.",
        "Hidden, but read: slides 1-3.",
    )


def test_xlsx_sheets_and_tables(write: Write) -> None:
    rows = row(1, "Report 2024") + row(3, "Region", "Share", "2023") + row(4, "North", "a") + row(5, "South", "b", "c")
    document = read(
        write(
            "a.xlsx", make_xlsx({"Sales": rows, "Empty": "", "中文": row(1, "姓名", "部门") + row(2, "张三", "研发")})
        )
    )
    assert document.text == (
        "Sales\n\nReport 2024\n\nRegion | Share | 2023\nNorth | a\nSouth | b | c\n\n中文\n\n姓名 | 部门\n张三 | 研发"
    )
    assert [heading.title for heading in document.headings] == ["Sales", "中文"]


def test_xlsx_values_as_shown(write: Write) -> None:
    rows = (
        '<row r="2"><c r="A2" t="s"><v>1</v></c><c r="B2" s="1"><v>0.256</v></c><c r="C2" s="2"><v>45352</v></c>'
        '<c r="D2" t="b"><v>1</v></c><c r="E2" t="e"><v>#REF!</v></c><c r="F2" s="3"><v>-1234.5</v></c><c r="G2"><f>1+1</f></c></row>'
    )
    data = make_xlsx(
        {"S": rows}, strings=["no", "yes"], formats=["0.0%", "d mmmm yyyy", "#,##0.00;(#,##0.00)"], state="hidden"
    )
    document = read(write("a.xlsx", data))
    assert document.text == "S\n\nyes | 25.6% | 1 March 2024 | TRUE | #REF! | (1,234.50)"
    assert document.warnings[0] == "Hidden, but read: sheet S."
    assert document.warnings[1].startswith("1 formulas have no stored value")


def test_long_table_repeats_its_header(write: Write) -> None:
    rows = row(1, "Name", "City") + "".join(row(i, f"n{i}", f"c{i}") for i in range(2, 47))
    text = read(write("a.xlsx", make_xlsx({"S": rows}))).text
    assert text.count("Name | City") == 3
    assert "\nn21 | c21\n\nName | City\nn22 | c22\n" in text


def test_xlsx_over_its_limit(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.readers.office.xlsx.MAX_CELLS", 10)
    rows = "".join(row(i, "a", "b", "c") for i in range(1, 9))
    document = read(write("a.xlsx", make_xlsx({"S": rows})))
    assert document.text.count("a | b | c") == 3
    assert "S (from row 4)" in document.warnings[0]


def test_xlsx_sheet_that_breaks_off(write: Write) -> None:
    document = read(write("a.xlsx", make_xlsx({"S": row(1, "kept", "too") + row(2, "also") + '<row r="3"><c'})))
    assert "kept | too" in document.text
    assert "Damaged" in document.warnings[0]


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (0.256, "0%", "26%"),
        (1234.5, "#,##0.00", "1,234.50"),
        (-1234.5, "#,##0.00;(#,##0.00)", "(1,234.50)"),
        (1234.5, '"$"#,##0', "$1,235"),
        (1234.5, r"#,##0.00\ [$€-407]", "1,234.50 €"),
        (45352, "yyyy-mm-dd", "2024-03-01"),
        (45352.604166667, "yyyy-mm-dd hh:mm", "2024-03-01 14:30"),
        (0.5, "h:mm AM/PM", "12:00 PM"),
        (1.5, "[h]:mm", "36:00"),
        (45352, 'yyyy"年"m"月"d"日"', "2024年3月1日"),
        (5, "000", "005"),
        (1e6, "0.00E+00", "1.00E+06"),
        (1234567, '0.0,,"M"', "1.2M"),
        (0, '0.00;-0.00;"-"', "-"),
        (1.005, "0.00", "1.01"),
        (2.5, "0", "3"),
        (0.1 + 0.2, "General", "0.3"),
        (1.5, "# ?/?", "1.5"),
        (45352, "[$-409]mmm\\-yy;@", "Mar-24"),
        (59, "yyyy-mm-dd", "1900-02-28"),
        (-1, "yyyy-mm-dd", "-1"),
        (7, "", "7"),
    ],
)
def test_numbers_as_shown(value: float, code: str, expected: str) -> None:
    assert shown(value, code) == expected


def test_date_codes() -> None:
    assert is_date("dd.mm.yyyy")
    assert not is_date("0.00")
    assert shown(0, "yyyy-mm-dd", epoch_1904=True) == "1904-01-01"


@pytest.mark.parametrize(
    ("name", "data"), [("a.pptx", make_xlsx({"S": row(1, "a")})), ("a.xlsx", make_pptx([shape("a")]))]
)
def test_one_package_under_the_name_of_another(write: Write, name: str, data: bytes) -> None:
    with pytest.raises(UnreadableError, match="is a zip archive, but not a"):
        read(write(name, data))


def test_presentation_without_slides(write: Write) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(write("a.pptx", make_pptx([])))
    assert caught.value.code == "no_text"


def test_pptx_sections_are_no_slides(write: Write) -> None:
    sections = '<p:ext><x:sectionLst xmlns:x="x"><x:section><x:sldId id="256"/></x:section></x:sectionLst></p:ext>'
    show = f'<p:presentation {P}><p:sldIdLst><p:sldId id="256" r:id="r0"/></p:sldIdLst>{sections}</p:presentation>'
    document = read(write("a.pptx", make_pptx([shape("Seen")], more={"ppt/presentation.xml": show})))
    assert (document.text, document.warnings, len(document.pages)) == ("Seen", (), 1)


def test_pptx_comments_and_feet(write: Write) -> None:
    foot = shape("Confidential", kind="ftr")
    more = {
        "ppt/slides/_rels/slide2.xml.rels": relations(
            {"c": "comments:../c1.xml", "t": "comments:../c2.xml", "e": "package:../e.xlsx"}
        ),
        "ppt/c1.xml": f"<p:cmLst {P}><p:cm><p:text>Old way</p:text></p:cm></p:cmLst>",
        "ppt/c2.xml": f"<x:cmLst xmlns:x='x' {A}><x:cm><x:txBody><a:p><a:r><a:t>New way</a:t></a:r></a:p></x:txBody></x:cm></x:cmLst>",
    }
    document = read(write("a.pptx", make_pptx([shape("one") + foot, shape("two") + foot], more=more)))
    assert document.text == "one\n\nConfidential\n\ntwo\n\nComment: Old way\n\nComment: New way"
    assert document.warnings == ("Embedded files were not read, upload them by themselves: 1.",)


def test_xlsx_comments_boxes_and_chart_titles(write: Write) -> None:
    title = f"<c:chart xmlns:c='c' {A}><c:title><a:p><a:r><a:t>Sales</a:t></a:r></a:p></c:title></c:chart>"
    box = f"<d:d xmlns:d='d' {A}><d:sp><d:txBody><a:p><a:r><a:t>In a box</a:t></a:r></a:p></d:txBody></d:sp></d:d>"
    threaded = "[Threaded comment]\n\nYour version of Excel shows this.\n\nComment:\n    Why?"
    beside = {
        "xl/worksheets/_rels/sheet1.xml.rels": relations({"c": "comments:../comments1.xml", "d": "drawing:../d.xml"}),
        "xl/comments1.xml": f'<comments {S}><comment ref="B2"><text><t>{threaded}</t></text></comment></comments>',
        "xl/d.xml": box,
        "xl/_rels/d.xml.rels": relations({"c": "chart:c.xml"}),
        "xl/c.xml": title,
    }
    with zipfile.ZipFile(io.BytesIO(make_xlsx({"Only notes": ""}))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    document = read(write("a.xlsx", package(members | beside)))
    assert document.text == "Only notes\n\nComment on B2: Why?\n\nIn a box\n\nChart: Sales"
    assert document.headings == (Heading(1, "Only notes", 0),)
