"""Files of every format made from paragraphs, small and plain, for the measurement of ingestion by format.

Deterministic but for the dates inside archives. The office formats hold what a reader needs and no more.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from xml.sax.saxutils import escape

from bench.corpus import Paragraph

PAGE_PARAGRAPHS = 3
_TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
_SLIDES = "http://schemas.openxmlformats.org/presentationml/2006/main"
_CELLS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OPEN = "urn:oasis:names:tc:opendocument:xmlns"


def make_files(paragraphs: Sequence[Paragraph], extension: str, *, of: int) -> list[tuple[str, bytes]]:
    """Names and bytes of files with `of` paragraphs each, as many as the paragraphs make."""
    texts = [item.text for item in paragraphs]
    groups = [texts[start : start + of] for start in range(0, len(texts) - of + 1, of)]
    return [(f"{number:05d}{extension}", MAKERS[extension](group)) for number, group in enumerate(groups)]


def _pdf(texts: Sequence[str]) -> bytes:
    """Pages of Helvetica, `PAGE_PARAGRAPHS` a page, lines of about 90 characters."""
    pages = [texts[start : start + PAGE_PARAGRAPHS] for start in range(0, len(texts), PAGE_PARAGRAPHS)]
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    kids = []
    for page in pages:
        content, height = b"", 760
        for text in page:
            for line in _wrapped(text):
                shown = (
                    line.encode("cp1252", "replace").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
                )
                content += b"BT /F1 10 Tf 60 %d Td (%s) Tj ET\n" % (height, shown)
                height -= 13
            height -= 13
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(content), content))
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R>>"
            % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(kids))
    data, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj%s endobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(data))
    return data + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + trailer


def _wrapped(text: str, width: int = 90) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _zip(members: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def _relations(targets: dict[str, str]) -> str:
    rows = "".join(
        f'<Relationship Id="{key}" Type="{_TYPES}/{kind}" Target="{target}"/>'
        for key, (kind, target) in ((key, value.split(":", 1)) for key, value in targets.items())
    )
    return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{rows}</Relationships>'


def _docx(texts: Sequence[str]) -> bytes:
    body = "".join(f"<w:p><w:r><w:t>{escape(text)}</w:t></w:r></w:p>" for text in texts)
    return _zip(
        {
            "_rels/.rels": _relations({"m": "officeDocument:word/document.xml"}),
            "word/document.xml": f'<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>',
        }
    )


def _pptx(texts: Sequence[str]) -> bytes:
    spaces = f'xmlns:p="{_SLIDES}" xmlns:a="{_DRAWING}" xmlns:r="{_TYPES}"'
    ids = "".join(f'<p:sldId id="{256 + n}" r:id="r{n}"/>' for n in range(len(texts)))
    members = {
        "_rels/.rels": _relations({"m": "officeDocument:ppt/presentation.xml"}),
        "ppt/presentation.xml": f"<p:presentation {spaces}><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": _relations(
            {f"r{n}": f"slide:slides/slide{n}.xml" for n in range(len(texts))}
        ),
    }
    for n, text in enumerate(texts):
        shape = f"<p:sp><p:txBody><a:p><a:r><a:t>{escape(text)}</a:t></a:r></a:p></p:txBody></p:sp>"
        members[f"ppt/slides/slide{n}.xml"] = f"<p:sld {spaces}><p:cSld><p:spTree>{shape}</p:spTree></p:cSld></p:sld>"
    return _zip(members)


def _xlsx(texts: Sequence[str]) -> bytes:
    rows = "".join(
        f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}" t="inlineStr"><is><t>{escape(text)}</t></is></c></row>'
        for n, text in enumerate(texts, start=1)
    )
    return _zip(
        {
            "_rels/.rels": _relations({"m": "officeDocument:xl/workbook.xml"}),
            "xl/workbook.xml": f'<workbook xmlns="{_CELLS}" xmlns:r="{_TYPES}">'
            '<sheets><sheet name="S" r:id="r"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": _relations({"r": "worksheet:worksheets/sheet1.xml"}),
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_CELLS}"><sheetData>{rows}</sheetData></worksheet>',
        }
    )


def _odt(texts: Sequence[str]) -> bytes:
    body = "".join(f"<text:p>{escape(text)}</text:p>" for text in texts)
    spaces = f'xmlns:office="{_OPEN}:office:1.0" xmlns:text="{_OPEN}:text:1.0"'
    body = f"<office:body><office:text>{body}</office:text></office:body>"
    content = f"<office:document-content {spaces}>{body}</office:document-content>"
    return _zip({"content.xml": content})


def _epub(texts: Sequence[str]) -> bytes:
    pages = "".join(f"<p>{escape(text)}</p>" for text in texts)
    return _zip(
        {
            "META-INF/container.xml": '<container><rootfile full-path="book.opf"/></container>',
            "book.opf": '<package><manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>'
            '<spine><itemref idref="a"/></spine></package>',
            "a.xhtml": f"<html><body><h1>Chapter</h1>{pages}</body></html>",
        }
    )


def _lines(texts: Sequence[str]) -> str:
    return "\n\n".join(texts)


MAKERS: dict[str, Callable[[Sequence[str]], bytes]] = {
    ".pdf": _pdf,
    ".docx": _docx,
    ".pptx": _pptx,
    ".xlsx": _xlsx,
    ".odt": _odt,
    ".epub": _epub,
    ".html": lambda texts: "".join(f"<p>{escape(text)}</p>" for text in texts).encode(),
    ".md": lambda texts: f"# Title\n\n{_lines(texts)}".encode(),
    ".rst": lambda texts: f"Title\n=====\n\n{_lines(texts)}".encode(),
    ".rtf": lambda texts: (
        "{\\rtf1 " + "\\par ".join(text.encode("ascii", "replace").decode() for text in texts) + "}"
    ).encode(),
    ".eml": lambda texts: (
        f"From: a@b.c\nSubject: x\nContent-Type: text/plain; charset=utf-8\n\n{_lines(texts)}".encode()
    ),
    ".csv": lambda texts: "\n".join(f'{n},"{text.replace(chr(34), chr(39))}"' for n, text in enumerate(texts)).encode(),
    ".json": lambda texts: json.dumps({"texts": list(texts)}).encode(),
    ".jsonl": lambda texts: "\n".join(json.dumps({"text": text}) for text in texts).encode(),
    ".ipynb": lambda texts: json.dumps(
        {"cells": [{"cell_type": "markdown", "source": text} for text in texts]}
    ).encode(),
    ".txt": lambda texts: _lines(texts).encode(),
    ".py": lambda texts: "\n\n".join(f'"""{text}"""' for text in texts).encode(),
}
"""How a file of each format is made of paragraphs."""
