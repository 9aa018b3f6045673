"""Files of every accepted format, written by hand so that the tests know each byte of them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[[str, bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of the given name and bytes and returns its path."""

    def write_file(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write_file


def make_pdf(pages: list[list[tuple[str, int, bool, int]]], *, outline: str = "", info: str = "") -> bytes:
    """A PDF in Helvetica. Each page lists its lines as (text, font size, bold, baseline in points from below).

    `outline` holds titles with their pages as "title@page" (0-based), separated by "|".
    """
    objects: list[bytes] = [b"", b""]  # the catalog and the page tree, known at the end
    objects.append(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>")
    objects.append(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold/Encoding/WinAnsiEncoding>>")
    page_ids = []
    for lines in pages:
        content = b"".join(
            b"BT /F%d %d Tf 72 %d Td (%s) Tj ET\n" % (2 if bold else 1, size, y, _escaped(text))
            for text, size, bold, y in lines
        )
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(content), content))
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R/F2 4 0 R>>>>/Contents %d 0 R>>"
            % len(objects)
        )
        page_ids.append(len(objects))
    catalog = b"<</Type/Catalog/Pages 2 0 R"
    if outline:
        entries = [entry.split("@") for entry in outline.split("|")]
        root = len(objects) + 1
        objects.append(b"<</First %d 0 R/Last %d 0 R/Count %d>>" % (root + 1, root + len(entries), len(entries)))
        for i, (title, page) in enumerate(entries):
            following = b"/Next %d 0 R" % (root + i + 2) if i + 1 < len(entries) else b""
            objects.append(
                b"<</Title(%s)/Parent %d 0 R/Dest[%d 0 R/XYZ 0 792 0]%s>>"
                % (title.encode(), root, page_ids[int(page)], following)
            )
        catalog += b"/Outlines %d 0 R" % root
    objects[0] = catalog + b">>"
    kids = b" ".join(b"%d 0 R" % page for page in page_ids)
    objects[1] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(pages), kids)
    objects.append(f"<<{info}>>".encode())
    return _assembled(objects)


def make_chinese_pdf(text: str) -> bytes:
    """A PDF of one line in a Chinese font that is not embedded, as UTF-16 codes with a map to Unicode."""
    codes = text.encode("utf-16-be").hex().upper().encode()
    mapping = b"1 begincodespacerange<0000><FFFF>endcodespacerange 1 beginbfrange<0000><FFFF><0000>endbfrange"
    content = b"BT /F1 12 Tf 72 700 Td <%s> Tj ET" % codes
    cmap = b"/CIDInit/ProcSet findresource begin 12 dict begin begincmap " + mapping + b" endcmap end end"
    return _assembled(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R>>",
            b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
            b"<</Type/Font/Subtype/Type0/BaseFont/SimSun/Encoding/Identity-H/DescendantFonts[6 0 R]/ToUnicode 7 0 R>>",
            b"<</Type/Font/Subtype/CIDFontType2/BaseFont/SimSun/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)"
            b"/Supplement 0>>/DW 1000/FontDescriptor 8 0 R>>",
            b"<</Length %d>>stream\n%s\nendstream" % (len(cmap), cmap),
            b"<</Type/FontDescriptor/FontName/SimSun/Flags 4/FontBBox[0 -200 1000 900]/ItalicAngle 0/Ascent 900/Descent -200"
            b"/CapHeight 700/StemV 80>>",
            b"<<>>",
        ]
    )


def make_docx(body: str, *, title: str = "") -> bytes:
    """A Word document around the XML of its body, with the styles Title and Heading1."""
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{name.replace(" ", "")}"><w:name w:val="{name}"/></w:style>'
        for name in ("Title", "heading 1", "heading 2")
    )
    members = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>'
        "</Relationships>",
        "word/_rels/document.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" '
        'Target="styles.xml"/></Relationships>',
        "word/styles.xml": f'<w:styles xmlns:w="{word}">{styles}</w:styles>',
        "word/document.xml": f'<w:document xmlns:w="{word}"><w:body>{body}</w:body></w:document>',
        "docProps/core.xml": '<c:coreProperties xmlns:c="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></c:coreProperties>',
    }
    return make_zip({name: text.encode() for name, text in members.items()})


def make_zip(members: dict[str, bytes]) -> bytes:
    """A zip archive of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def make_bomb(path: Path, *, megabytes: int) -> None:
    """A small file that claims to be a Word document and unpacks to zeros."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("word/document.xml", "w", force_zip64=True) as member,
    ):
        for _ in range(megabytes):
            member.write(bytes(1 << 20))


def paragraph(text: str, style: str = "") -> str:
    """The XML of a Word paragraph."""
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}<w:r><w:t>{text}</w:t></w:r></w:p>"


def _escaped(text: str) -> bytes:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)").encode("cp1252")


def _assembled(objects: list[bytes]) -> bytes:
    """Objects numbered from 1 (the first is the catalog, the last the document information) as a file."""
    data, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj%s endobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return (
        data
        + b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R/Info %d 0 R>>\nstartxref\n%d\n%%%%EOF"
        % (
            len(objects) + 1,
            table,
            len(objects) + 1,
            len(objects),
            len(data),
        )
    )
