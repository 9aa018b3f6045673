"""Office, OpenDocument and EPUB packages written by hand, so that the tests know each byte of them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from ingest.readers.registry import read_file
from ingest.readers.text.normalisation import normalise
from rag.types import ParsedDocument
from tests.ingest.conftest import make_zip

_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
P = f'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:r="{_TYPES}" {A}'
S = f'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="{_TYPES}"'


def read(path: Path) -> ParsedDocument:
    """The document, after checking what must hold for any."""
    document = read_file(path, path.name)
    assert normalise(document.text) == document.text
    assert [heading.start for heading in document.headings] == sorted(heading.start for heading in document.headings)
    assert all(heading.start < len(document.text) for heading in document.headings)
    end = 0
    for page in document.pages:
        assert end <= page.start <= page.end <= len(document.text)
        end = page.end
    return document


def relations(targets: dict[str, str]) -> str:
    """A part of relationships: "kind:target" by id."""
    rows = "".join(
        f'<Relationship Id="{key}" Type="{_TYPES}/{value.split(":", 1)[0]}" Target="{value.split(":", 1)[1]}"/>'
        for key, value in targets.items()
    )
    return f'<Relationships xmlns="{_RELATIONS}">{rows}</Relationships>'


def package(members: dict[str, str | bytes]) -> bytes:
    """A zip of these parts."""
    return make_zip({name: data.encode() if isinstance(data, str) else data for name, data in members.items()})


def shape(text: str, *, kind: str | None = None, extra: str = "") -> str:
    """A shape of a slide with a paragraph for each line; `kind` is its placeholder's type."""
    named = f' type="{kind}"' if kind else ""
    holder = "" if kind is None else f"<p:nvSpPr><p:nvPr><p:ph{named}/></p:nvPr></p:nvSpPr>"
    lines = "".join(f"<a:p>{extra}<a:r><a:t>{line}</a:t></a:r></a:p>" for line in text.split("\n"))
    return f"<p:sp>{holder}<p:txBody>{lines}</p:txBody></p:sp>"


def make_pptx(slides: list[str], *, more: dict[str, str | bytes] | None = None, show: str = "") -> bytes:
    """A presentation of slides given by the XML of their shapes; `more` adds or replaces parts."""
    ids = "".join(f'<p:sldId id="{256 + i}" r:id="r{i}"/>' for i in range(len(slides)))
    members: dict[str, str | bytes] = {
        "_rels/.rels": relations({"m": "officeDocument:ppt/presentation.xml"}),
        "ppt/presentation.xml": f"<p:presentation {P}><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": relations(
            {f"r{i}": f"slide:slides/slide{i + 1}.xml" for i in range(len(slides))}
        ),
    }
    for i, shapes in enumerate(slides):
        members[f"ppt/slides/slide{i + 1}.xml"] = (
            f"<p:sld {P}{show}><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>"
        )
    return package(members | (more or {}))


def make_xlsx(
    sheets: dict[str, str], *, strings: list[str] | None = None, formats: list[str] | None = None, state: str = ""
) -> bytes:
    """A workbook of sheets given by the XML of their rows. Style n+1 has the n-th of `formats`; `state` is the last sheet's."""
    names = list(sheets)
    nodes = "".join(f'<sheet name="{name}" sheetId="{i + 1}" r:id="r{i}"/>' for i, name in enumerate(names))
    if state:
        nodes = f'{nodes[:-2]} state="{state}"/>'
    codes = "".join(f'<numFmt numFmtId="{164 + i}" formatCode="{code}"/>' for i, code in enumerate(formats or []))
    styles = "".join(f'<xf numFmtId="{164 + i}"/>' for i in range(len(formats or [])))
    items = "".join(f"<si><t>{text}</t></si>" for text in strings or [])
    targets = {f"r{i}": f"worksheet:worksheets/sheet{i + 1}.xml" for i in range(len(names))}
    members: dict[str, str | bytes] = {
        "_rels/.rels": relations({"m": "officeDocument:xl/workbook.xml"}),
        "xl/workbook.xml": f"<workbook {S}><sheets>{nodes}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": relations(
            targets | {"s": "sharedStrings:sharedStrings.xml", "t": "styles:styles.xml"}
        ),
        "xl/sharedStrings.xml": f"<sst {S}>{items}</sst>",
        "xl/styles.xml": f'<styleSheet {S}><numFmts>{codes}</numFmts><cellXfs><xf numFmtId="0"/>{styles}</cellXfs></styleSheet>',
    }
    for i, rows in enumerate(sheets.values()):
        members[f"xl/worksheets/sheet{i + 1}.xml"] = f"<worksheet {S}><sheetData>{rows}</sheetData></worksheet>"
    return package(members)


def row(number: int, *cells: str) -> str:
    """A row of inline strings."""
    texts = "".join(
        f'<c t="inlineStr" r="{chr(65 + i)}{number}"><is><t>{cell}</t></is></c>' for i, cell in enumerate(cells) if cell
    )
    return f'<row r="{number}">{texts}</row>'


def make_odf(kind: str, body: str, *, manifest: str = "") -> bytes:
    """An OpenDocument file; `kind` is "text", "spreadsheet" or "presentation"."""
    names = "office text table draw presentation".split()
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name.replace("draw", "drawing")}:1.0"' for name in names
    )
    content = f"<office:document-content {spaces}><office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    meta = '<m xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Deed</dc:title><dc:creator>Li</dc:creator></m>'
    return package(
        {"content.xml": content, "meta.xml": meta, "META-INF/manifest.xml": f"<manifest>{manifest}</manifest>"}
    )


def make_epub(chapters: dict[str, str], *, more: dict[str, str | bytes] | None = None) -> bytes:
    """A book of chapters given by the HTML of their bodies, with a table of contents that names each by its file."""
    items = "".join(f'<item id="{n}" href="{n}.xhtml" media-type="application/xhtml+xml"/>' for n in chapters)
    spine = "".join(f'<itemref idref="{n}"/>' for n in chapters)
    points = "".join(
        f'<navPoint><navLabel><text>Chapter {n}</text></navLabel><content src="{n}.xhtml#x"/></navPoint>'
        for n in chapters
    )
    members: dict[str, str | bytes] = {
        "META-INF/container.xml": '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
        "OEBPS/book.opf": '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>The Book</dc:title>'
        f'<dc:creator>An Author</dc:creator></metadata><manifest>{items}<item id="ncx" href="toc.ncx"'
        f' media-type="application/x-dtbncx+xml"/></manifest><spine>{spine}</spine></package>',
        "OEBPS/toc.ncx": f"<ncx><navMap>{points}</navMap></ncx>",
    }
    for name, body in chapters.items():
        members[f"OEBPS/{name}.xhtml"] = (
            '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml">'
            f"<head><title/></head><body>{body}</body></html>"
        )
    return package(members | (more or {}))


def make_bomb(megabytes: int, name: str) -> bytes:
    """A small archive with one member that unpacks to zeros."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(name, "w") as member,
    ):
        for _ in range(megabytes):
            member.write(bytes(1 << 20))
    return buffer.getvalue()
