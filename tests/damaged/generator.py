"""Damaged and hostile files of every format: `cases()`, always the same ones, made from the good files of the other tests.

Each case says what may become of it: "" for a text, else the code of the failure. Nothing here knows how a reader works; to
add a case, yield one.
"""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.readers.registry import FILE_TYPES
from tests.ingest.conftest import make_docx, make_pdf, make_zip, paragraph
from tests.ingest.readers.builders import S, make_bomb, make_epub, make_odf, make_pptx, make_xlsx, package, row, shape
from tests.ingest.readers.test_hostile import DOCTYPE, SAMPLES

SEED = 4
TEXT = ""  # the file is indexed
DAMAGED = frozenset(
    {
        TEXT,
        "unreadable",
        "no_text",
        "unsupported_type",
        "empty",
        "encrypted",
        "archive_bomb",
        "xml_entities",
        "too_large",
    }
)
ZIPPED = tuple(each for each in SAMPLES if SAMPLES[each].startswith(b"PK"))
XML_PARTS = {
    ".docx": "word/document.xml",
    ".pptx": "ppt/slides/slide1.xml",
    ".xlsx": "xl/worksheets/sheet1.xml",
    ".odt": "content.xml",
    ".ods": "content.xml",
    ".odp": "content.xml",
    ".epub": "OEBPS/one.xhtml",
}
LANGUAGES = {
    "utf-16": "Grüße an alle, 中文", "utf-32": "Grüße an alle, 中文", "utf-16-le": "Plain text without a mark", "gb18030": "员工每年享有十五天带薪年假。",
    "big5": "公司規定，員工每年享有十五天的帶薪年假。", "cp932": "これは日本語の文章です。", "euc_jp": "これは日本語の文章です。", "iso2022_jp": "件名は会議の案内です。",
    "cp949": "모든 직원은 휴가를 받는다. 이것은 규칙이다.", "iso2022_kr": "모든 직원은 휴가를 받는다.", "cp1251": "Съешь же ещё этих мягких французских булок.",
    "koi8-r": "Съешь же ещё этих мягких французских булок.", "cp1250": "Příliš žluťoučký kůň úpěl ďábelské ódy.", "cp1253": "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία",
    "cp1252": "Le café est fermé à Noël, même l’été.", "cp850": "Größe und Füße, schöne Grüße",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """A file; `expected` holds what may become of it, `words` what its text must hold where it has one."""

    name: str
    data: bytes
    expected: frozenset[str] = DAMAGED
    words: str = ""


def cases() -> list[Case]:
    """All of them, with names that are unique."""
    found = [
        *_cut(),
        *_flipped(),
        *_mistaken(),
        *_empty(),
        *_bombs(),
        *_entities(),
        *_locked(),
        *_nested(),
        *_huge(),
        *_encodings(),
        *_odd(),
    ]
    names = [each.name for each in found]
    assert len(set(names)) == len(names)
    return found


def _only(*codes: str) -> frozenset[str]:
    return frozenset(codes)


def _cut() -> Iterator[Case]:
    chance = random.Random(SEED)
    for extension, sample in SAMPLES.items():
        for share in (0.1, 0.5, 0.97):
            yield Case(f"cut-{int(100 * share)}{extension}", sample[: max(1, int(share * len(sample)))])
        start = chance.randrange(1, len(sample))
        yield Case(f"headless{extension}", sample[start:])


def _flipped() -> Iterator[Case]:
    chance = random.Random(SEED + 1)
    for extension, sample in SAMPLES.items():
        for count in (1, 20):
            data = bytearray(sample)
            for _ in range(count):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            yield Case(f"flipped-{count}{extension}", bytes(data))
        hole = chance.randrange(len(sample))
        yield Case(f"hole{extension}", sample[:hole] + bytes(64) + sample[hole + 64 :])
    for extension, part in XML_PARTS.items():
        with zipfile.ZipFile(io.BytesIO(SAMPLES[extension])) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        broken = members | {part: members[part][: len(members[part]) // 2]}
        yield Case(f"half-a-part{extension}", make_zip(broken))
        yield Case(
            f"part-is-noise{extension}", make_zip(members | {part: bytes(chance.randrange(256) for _ in range(3000))})
        )
        del members[part]
        yield Case(f"part-missing{extension}", make_zip(members))


def _mistaken() -> Iterator[Case]:
    extensions = list(SAMPLES)
    for index, extension in enumerate(extensions):
        other = extensions[(index + 7) % len(extensions)]
        yield Case(f"truly-{extension[1:]}{other}", SAMPLES[extension])
    yield Case("old-word.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), _only("unreadable"))
    yield Case("old-word.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), _only("unsupported_type"))
    yield Case("outlook.eml", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), _only("unsupported_type"))
    yield Case("picture.pdf", b"\x89PNG\r\n\x1a\n" + bytes(500), _only("unreadable"))
    yield Case("packed.txt", gzip.compress(b"text " * 100, mtime=0), _only("unsupported_type"))
    yield Case("a-pdf.txt", SAMPLES[".pdf"], _only(TEXT), "Some text on a page.")
    yield Case("late-marker.pdf", b"\n" * 900 + SAMPLES[".pdf"], _only(TEXT, "unreadable"))


def _empty() -> Iterator[Case]:
    for file_type in FILE_TYPES:
        extension = file_type.extensions[0]
        yield Case(f"nothing{extension}", b"", _only("empty"))
        yield Case(f"blank{extension}", b" \n\t\r\n  ", _only("no_text", "unreadable"))
    yield Case("no-member.docx", make_zip({}), _only("unreadable"))
    yield Case("no-slide.pptx", make_pptx([]), _only("no_text"))
    yield Case("no-page.pdf", make_pdf([]), _only("unreadable"))
    yield Case("blank-page.pdf", make_pdf([[], []]), _only("no_text"))
    yield Case("blank-paragraphs.docx", make_docx(paragraph(" ") * 50), _only("no_text"))
    yield Case("only-a-script.html", b"<script>let x = 1</script>", _only("no_text"))
    yield Case("no-cell.xlsx", make_xlsx({"A": "", "B": ""}), _only("no_text"))
    yield Case("no-cell.ipynb", b'{"cells": []}', _only("no_text"))
    yield Case("invisible.txt", "\u200b\ufeff\u2060\U000e0041".encode() * 50, _only("no_text"))


def _bombs() -> Iterator[Case]:
    for extension, part in XML_PARTS.items():
        yield Case(f"bomb{extension}", make_bomb(20, part), _only("archive_bomb"))
    yield Case("members.docx", make_zip({f"{number}": b"" for number in range(10_001)}), _only("archive_bomb"))
    lie = bytearray(make_docx(paragraph("x" * 50_000)))
    entry = lie.rindex(b"PK\x01\x02", 0, lie.rindex(b"word/document.xml"))
    lie[entry + 24 : entry + 28] = (10).to_bytes(4, "little")
    yield Case("lies-about-its-size.docx", bytes(lie), _only("unreadable"))
    long = "A long text that is named very often. " * 800
    cells = "".join(f'<row r="{n}"><c t="s"><v>0</v></c></row>' for n in range(1, 3000))
    yield Case("one-text-named-often.xlsx", make_xlsx({"S": cells}, strings=[long]), _only("too_large"))
    rows = '<table:table-row table:number-rows-repeated="300"><table:table-cell table:number-columns-repeated="100"><text:p>x</text:p></table:table-cell></table:table-row>'
    yield Case("cells-repeated.ods", make_odf("spreadsheet", f"<table:table>{rows}</table:table>"), _only(TEXT))
    blank = '<table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    one = "<table:table-row><table:table-cell><text:p>kept</text:p></table:table-cell></table:table-row>"
    yield Case(
        "blanks-repeated.ods", make_odf("spreadsheet", f"<table:table>{blank}{one}</table:table>"), _only(TEXT), "kept"
    )


def _entities() -> Iterator[Case]:
    made = {
        ".docx": make_docx(paragraph("&l11;")),
        ".pptx": make_pptx([shape("&l11;")]),
        ".xlsx": make_xlsx({"S": row(1, "&l11;")}),
        ".odt": make_odf("text", "<text:p>&l11;</text:p>"),
    }
    for extension, data in made.items():
        buffer = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(buffer, "w") as hostile:
            for name in archive.namelist():
                hostile.writestr(name, DOCTYPE + archive.read(name).decode())
        yield Case(f"billion-laughs{extension}", buffer.getvalue(), _only("xml_entities"))
    outside = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    yield Case("reads-files.html", f"{outside}<p>&f; kept</p>".encode(), _only(TEXT), "kept")
    yield Case("reads-files.rst", b"Kept\n\n.. include:: /etc/passwd\n", _only(TEXT), "Kept")
    yield Case("reads-files.xml", f"{outside}<a>&f; kept</a>".encode(), _only(TEXT), "kept")


def _locked() -> Iterator[Case]:
    from pypdf import PdfReader, PdfWriter

    for name, user in (("locked", "secret"), ("owner-only", "")):
        writer = PdfWriter(clone_from=PdfReader(io.BytesIO(SAMPLES[".pdf"])))
        writer.encrypt(user, owner_password="owner", algorithm="RC4-128")
        buffer = io.BytesIO()
        writer.write(buffer)
        yield Case(f"{name}.pdf", buffer.getvalue(), _only("encrypted" if user else TEXT))
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100) + "EncryptedPackage".encode("utf-16-le")
    for extension in (".docx", ".xlsx", ".pptx"):
        yield Case(f"locked{extension}", ole, _only("encrypted"))
    mark = '<file-entry><encryption-data checksum="x"/></file-entry>'
    yield Case("locked.odt", make_odf("text", "<text:p>x</text:p>", manifest=mark), _only("encrypted"))
    protection = '<encryption><EncryptedData><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes256-cbc"/></EncryptedData></encryption>'
    more: dict[str, str | bytes] = {"META-INF/encryption.xml": protection}
    yield Case("locked.epub", make_epub({"one": "<p>x</p>"}, more=more), _only("encrypted"))
    flagged = bytearray(SAMPLES[".docx"])
    flagged[flagged.rindex(b"PK\x01\x02") + 8] |= 1
    yield Case("member-locked.docx", bytes(flagged), _only("encrypted"))


def _nested() -> Iterator[Case]:
    deep = 50_000
    yield Case("deep.html", b"<div><p>" * deep + b"core", _only(TEXT), "core")
    yield Case("deep.json", b'{"a":[' * deep + b"1" + b"]}" * deep, _only(TEXT))
    yield Case("deep.jsonl", (b"[" * deep + b"\n") * 3, _only(TEXT))
    yield Case("deep.md", b"> " * deep + b"core", _only(TEXT), "core")
    yield Case("deep-lists.md", b"".join(b" " * 2 * n + b"- item\n" for n in range(300)), _only(TEXT), "item")
    yield Case("deep.rtf", b"{\\rtf1 " + b"{" * deep + b"core" + b"}" * deep + b"}", _only(TEXT), "core")
    yield Case("deep.eml", b"Subject: x\nContent-Type: message/rfc822\n\n" * 2000 + b"core", _only(TEXT, "unreadable"))
    yield Case("deep.ipynb", b'{"cells": [' + b"[" * deep + b"]" * deep + b"]}", _only("unreadable", "no_text"))
    for extension, data in {
        ".docx": make_docx("<w:sdt><w:sdtContent>" * 3000 + paragraph("x") + "</w:sdtContent></w:sdt>" * 3000),
        ".odt": make_odf("text", "<text:section>" * 3000 + "<text:p>x</text:p>" + "</text:section>" * 3000),
        ".pptx": make_pptx(["<p:grpSp>" * 3000 + shape("x") + "</p:grpSp>" * 3000]),
    }.items():
        yield Case(f"deep{extension}", data)
    tables = "<w:tbl><w:tr><w:tc>" * 60 + paragraph("core") + "</w:tc></w:tr></w:tbl>" * 60
    yield Case("tables-in-tables.docx", make_docx(tables), _only(TEXT), "core")
    yield Case("tables-in-tables.html", b"<table><tr><td>" * 80 + b"core", _only(TEXT), "core")


def _huge() -> Iterator[Case]:
    cell = "word " * 20_000
    yield Case("huge-cell.csv", f'name,text\na,"{cell}"\nb,c\n'.encode(), _only(TEXT), "word word")
    yield Case("huge-cell.xlsx", make_xlsx({"S": row(1, "name", "text") + row(2, "a", cell)}), _only(TEXT), "word word")
    yield Case(
        "huge-cell.docx",
        make_docx(f"<w:tbl><w:tr><w:tc>{paragraph('a')}</w:tc><w:tc>{paragraph(cell)}</w:tc></w:tr></w:tbl>"),
        _only(TEXT),
        "word word",
    )
    yield Case("one-word.txt", b"x" * 100_000, _only(TEXT))
    yield Case("one-line.txt", b"word " * 20_000, _only(TEXT))
    yield Case("one-line.json", b'{"a": "' + b"word " * 20_000 + b'"}', _only(TEXT))
    yield Case("wide.csv", ",".join(f"c{n}" for n in range(5_000)).encode() + b"\n", _only(TEXT), "c4999")
    yield Case("open-quote.csv", b'a,"b\n' + b"1,2\n" * 1000, _only(TEXT), "1")
    yield Case("headings.md", b"# x\n" * 3_000, _only(TEXT))
    yield Case(
        "far-cell.xlsx",
        make_xlsx({"S": '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>far</t></is></c></row>'}),
        _only(TEXT),
        "far",
    )
    yield Case("many-columns.rst", b"=" * 3 + b" ===" * 3000 + b"\n", _only("no_text"))


def _encodings() -> Iterator[Case]:
    for encoding, text in LANGUAGES.items():
        yield Case(f"in-{encoding}.txt", text.encode(encoding), _only(TEXT), text[:12])
    yield Case("in-utf-16.csv", "Name\tOrt\nÄnne\tKöln\n".encode("utf-16"), _only(TEXT), "Änne | Köln")
    yield Case(
        "in-cp1251.html", '<meta charset="windows-1251"><p>Привет, мир</p>'.encode("cp1251"), _only(TEXT), "Привет"
    )
    yield Case(
        "wrongly-declared.html", '<meta charset="iso-8859-1"><p>Größe über alles</p>'.encode(), _only(TEXT), "Größe"
    )
    yield Case(
        "unknown-charset.eml", b"Subject: x\nContent-Type: text/plain; charset=no-such\n\nKept.\n", _only(TEXT), "Kept."
    )
    yield Case("surrogates.json", rb'{"a": "\ud800 kept \udfff"}', _only(TEXT), "kept")
    yield Case("nul-bytes.txt", b"kept" + b"\0" * 3 + b" text " * 200, _only(TEXT), "text")
    yield Case("old-mac.txt", b"one\rtwo\rthree", _only(TEXT), "two")
    yield Case("half-a-letter.txt", ("word " * 200 + "é").encode()[:-1], _only(TEXT), "word")


def _odd() -> Iterator[Case]:
    yield Case("名前 … “x”.txt", b"An odd name.", _only(TEXT), "odd")
    yield Case(f"{'long' * 50}.txt", b"A long name.", _only(TEXT), "long")
    yield Case("UPPER.TXT", b"Upper case.", _only(TEXT), "Upper")
    yield Case("loop.pdf", SAMPLES[".pdf"].replace(b"/Kids[", b"/Kids[2 0 R "))
    yield Case("no-xref.pdf", SAMPLES[".pdf"].rpartition(b"xref\n0")[0], _only("unreadable"))
    yield Case(
        "many-pages-claimed.pdf", SAMPLES[".pdf"].replace(b"/Count 2", b"/Count 99999999"), _only(TEXT, "unreadable")
    )
    yield Case("parts-refer-in-circles.xlsx", package({"_rels/.rels": '<Relationships><Relationship Id="m" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>',
               "xl/workbook.xml": f'<workbook {S}><sheets><sheet name="a" r:id="r"/></sheets></workbook>',
               "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="r" Type="x/worksheet" Target="workbook.xml"/></Relationships>'}), _only("no_text", "unreadable"))  # fmt: skip
    yield Case("never-ends.rtf", b"{\\rtf1 kept \\bin2147483647 x", _only(TEXT), "kept")
    yield Case("styles-in-a-circle.docx", _circular_styles(), _only(TEXT), "kept")
    yield Case(
        "bad-numbers.ipynb",
        b'{"cells": [{"cell_type": "heading", "level": "x", "source": "kept"}]}',
        _only(TEXT),
        "kept",
    )
    yield Case(
        "cells-of-all-kinds.ipynb",
        b'{"cells": [1, null, "x", {"source": {"a": 1}}, {"cell_type": "code", "source": ["kept", 2], "outputs": [3, {"data": 4}]}]}',
        _only(TEXT),
        "kept",
    )
    yield Case(
        "numbers.json", b"[1e999999, -0, 1E400, NaN, Infinity, 123456789012345678901234567890]", _only(TEXT), "1e999999"
    )


def _circular_styles() -> bytes:
    with zipfile.ZipFile(io.BytesIO(make_docx(paragraph("kept", "A")))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    word = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{a}"><w:name w:val="{a}"/><w:basedOn w:val="{b}"/></w:style>'
        for a, b in (("A", "B"), ("B", "A"))
    )
    return make_zip(members | {"word/styles.xml": f"<w:styles {word}>{styles}</w:styles>".encode()})
