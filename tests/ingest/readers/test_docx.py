"""Word documents: lists with their numbers, headings by any kind of style, and all that stands outside plain paragraphs."""

from __future__ import annotations

import io
import zipfile

import pytest

from ingest.readers.office.docx_styles import formatted
from rag.errors import UnreadableError
from rag.types import Heading
from tests.ingest.conftest import Write, make_docx, paragraph
from tests.ingest.readers.builders import A, package, read, relations

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
M = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
NUMBERING = f"""<w:numbering {W}>
<w:abstractNum w:abstractNumId="1">
  <w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>
  <w:lvl w:ilvl="1"><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1%2)"/></w:lvl>
</w:abstractNum>
<w:abstractNum w:abstractNumId="2"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/><w:lvlText w:val="\uf0b7"/></w:lvl></w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="2"/></w:num>
<w:num w:numId="3"><w:abstractNumId w:val="1"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride></w:num>
</w:numbering>"""
STYLES = f"""<w:styles {W}>
<w:style w:type="paragraph" w:styleId="T"><w:name w:val="heading 2"/></w:style>
<w:style w:type="paragraph" w:styleId="Own"><w:name w:val="House style"/><w:basedOn w:val="T"/></w:style>
<w:style w:type="paragraph" w:styleId="Out"><w:name w:val="Clause"/><w:pPr><w:outlineLvl w:val="0"/>
  <w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>
<w:style w:type="paragraph" w:styleId="C1"><w:name w:val="toc 1"/></w:style>
</w:styles>"""


def document(body: str, *, more: dict[str, str] | None = None, targets: dict[str, str] | None = None) -> bytes:
    """A document with the styles and lists above; `more` adds parts, `targets` their relations ("kind:target" by id)."""
    own = {"s": "styles:styles.xml", "n": "numbering:numbering.xml"}
    members: dict[str, str | bytes] = {
        "_rels/.rels": relations({"m": "officeDocument:word/document.xml"}),
        "word/_rels/document.xml.rels": relations(own | (targets or {})),
        "word/styles.xml": STYLES,
        "word/numbering.xml": NUMBERING,
        "word/document.xml": f"<w:document {W} {R} {M} {A}><w:body>{body}</w:body></w:document>",
    }
    return package(members | (more or {}))


def item(text: str, number: int, level: int = 0) -> str:
    numbered = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
    return f"<w:p><w:pPr>{numbered}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def test_lists_keep_their_numbers(write: Write) -> None:
    body = item("one", 1) + item("inner", 1, 1) + item("inner too", 1, 1) + item("two", 1) + item("inner again", 1, 1)
    body += paragraph("Between.") + item("three", 1) + item("seven", 3) + paragraph("And") + item("dot", 2)
    text = read(write("a.docx", document(body))).text
    assert text == (
        "1. one\n  1a) inner\n  1b) inner too\n2. two\n  2a) inner again\n\nBetween.\n\n3. three\n7. seven\n\nAnd\n\n- dot"
    )


def test_headings_by_base_outline_and_number(write: Write) -> None:
    body = paragraph("Contents 1", "C1") + paragraph("Scope", "Out") + paragraph("Detail", "Own") + paragraph("Body")
    direct = '<w:p><w:pPr><w:outlineLvl w:val="2"/></w:pPr><w:r><w:t>Third</w:t></w:r></w:p>'
    found = read(write("a.docx", document(body + direct)))
    assert found.headings == (Heading(1, "1. Scope", 0), Heading(2, "Detail", 10), Heading(3, "Third", 24))


@pytest.mark.parametrize(
    ("number", "form", "expected"),
    [(28, "lowerLetter", "bb"), (14, "upperRoman", "XIV"), (21, "chineseCounting", "二十一"), (10, "chineseCounting", "十"),
     (3, "decimalZero", "03"), (5, "ordinal", "5"), (0, "upperRoman", "0")],
)  # fmt: skip
def test_forms_of_numbers(number: int, form: str, expected: str) -> None:
    assert formatted(number, form) == expected


def test_fields_changes_ruby_hidden_text_and_formulas(write: Write) -> None:
    body = (
        "<w:p><w:fldSimple w:instr='AUTHOR'><w:r><w:t>Li</w:t></w:r></w:fldSimple>"
        "<w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins><w:r><w:t> wrote</w:t></w:r></w:ins>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:r><w:instrText>PAGE</w:instrText></w:r>"
        "<w:r><w:t> </w:t><w:ruby><w:rt><w:r><w:t>とうきょう</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>東京</w:t></w:r></w:rubyBase></w:ruby></w:r>"
        "<m:oMath><m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:r><m:t>b</m:t></m:r></m:den></m:f></m:oMath></w:p>"
    )
    assert read(write("a.docx", document(body))).text == "Li wrote 東京a/b"


def test_notes_comments_heads_and_boxes(write: Write) -> None:
    box = f"<w:txbxContent>{paragraph('Boxed')}</w:txbxContent>"
    body = (
        "<w:p><w:r><w:t>Said</w:t></w:r><w:r><w:footnoteReference w:id='2'/></w:r><w:r><w:t>.</w:t></w:r>"
        "<w:r><w:commentReference w:id='0'/></w:r></w:p>"
        f'<w:p><w:r><mc:AlternateContent xmlns:mc="m"><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r></w:p>'
        "<w:sectPr><w:headerReference r:id='h'/><w:footerReference r:id='f'/></w:sectPr>"
    )
    more = {
        "word/footnotes.xml": f"<w:footnotes {W}><w:footnote w:id='2'>{paragraph('A note')}</w:footnote></w:footnotes>",
        "word/comments.xml": f"<w:comments {W}><w:comment w:id='0' w:author='Ann'>{paragraph('Really?')}</w:comment></w:comments>",
        "word/header1.xml": f"<w:hdr {W}>{paragraph('Secret')}</w:hdr>",
        "word/footer1.xml": f"<w:ftr {W}>{paragraph('Page 1 of 3')}</w:ftr>",
    }
    targets = {
        "1": "footnotes:footnotes.xml",
        "2": "comments:comments.xml",
        "h": "header:header1.xml",
        "f": "footer:footer1.xml",
    }
    found = read(write("a.docx", document(body, more=more, targets=targets)))
    assert found.text == "Said [A note].\n\nComment by Ann: Really?\n\nBoxed\n\nHeader: Secret"


def test_charts_and_diagrams(write: Write) -> None:
    body = (
        '<w:p><w:r><w:drawing><c:chart xmlns:c="c" r:id="c"/><d:relIds xmlns:d="d" r:dm="d"/></w:drawing></w:r></w:p>'
    )
    more = {
        "word/c.xml": f'<c:chart xmlns:c="c" {A}><c:title><a:p><a:r><a:t>Growth</a:t></a:r></a:p></c:title></c:chart>',
        "word/d.xml": f'<d:data xmlns:d="d" {A}><d:pt><a:p><a:r><a:t>Step</a:t></a:r></a:p></d:pt></d:data>',
    }
    found = read(write("a.docx", document(body, more=more, targets={"c": "chart:c.xml", "d": "diagramData:d.xml"})))
    assert found.text == "Growth\n\n- Step"


def test_merged_cells_keep_their_columns(write: Write) -> None:
    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(text)}</w:tc>"

    rows = [
        cell("Area") + cell("Plan") + cell("Cost"),
        cell("North", '<w:vMerge w:val="restart"/>') + cell("Basic") + cell("5"),
        cell("", "<w:vMerge/>") + cell("Plus") + cell("9"),
        cell("Both", '<w:gridSpan w:val="2"/>') + cell("14"),
    ]
    table = "".join(f"<w:tr>{each}</w:tr>" for each in rows)
    text = read(write("a.docx", document(f"<w:tbl>{table}</w:tbl>"))).text
    assert text == "Area | Plan | Cost\nNorth | Basic | 5\nNorth | Plus | 9\nBoth | Both | 14"


def test_inserted_documents(write: Write) -> None:
    more = {"word/chunk.html": "<h1>Inside</h1><p>Text.</p>", "word/chunk.docx": "zip"}
    body = '<w:altChunk r:id="a"/><w:altChunk r:id="b"/>'
    found = read(
        write("a.docx", document(body, more=more, targets={"a": "aFChunk:chunk.html", "b": "aFChunk:chunk.docx"}))
    )
    assert found.text == "Inside\n\nText."
    assert found.warnings == ("Inserted documents that cannot be read: 1.",)


def test_damaged_xml_is_read_as_far_as_it_goes(write: Write) -> None:
    whole = make_docx(paragraph("The first.") + paragraph("The second."))
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive, zipfile.ZipFile(buffer, "w") as damaged:
        for name in archive.namelist():
            data = archive.read(name)
            damaged.writestr(name, data[:-50] if name == "word/document.xml" else data)
    found = read(write("a.docx", buffer.getvalue()))
    assert found.text.startswith("The first.")
    assert "damaged" in found.warnings[0]


def test_only_pictures(write: Write) -> None:
    body = '<w:p><w:r><w:drawing><pic:pic xmlns:pic="p"/></w:drawing></w:r></w:p>'
    with pytest.raises(UnreadableError, match="only pictures") as caught:
        read(write("a.docx", document(body)))
    assert caught.value.code == "no_text"
