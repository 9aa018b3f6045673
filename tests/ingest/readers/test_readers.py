"""Each reader against small files with known text, and against hostile ones."""

from __future__ import annotations

import contextlib
import io
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.readers import registry
from ingest.readers.pdf.layout import Line
from ingest.readers.pdf.pdfium import _runs_down
from ingest.readers.pdf.reading_order import Segment
from ingest.readers.registry import all_extensions, media_type_of, read_file
from ingest.readers.text.normalisation import TextBuilder, normalise
from ingest.readers.text.plain import decode
from rag.errors import EncryptedError, UnreadableError, UnsupportedTypeError
from rag.types import Heading, PageSpan, ParsedDocument
from tests.ingest.conftest import Write, make_bomb, make_chinese_pdf, make_docx, make_pdf, make_zip, paragraph

GOLDEN = Path(__file__).resolve().parents[2] / "data" / "readers"


def read(path: Path) -> ParsedDocument:
    document = read_file(path, path.name)
    assert normalise(document.text) == document.text
    assert [heading.start for heading in document.headings] == sorted(heading.start for heading in document.headings)
    ends = [0]
    for page in document.pages:
        assert ends[-1] <= page.start <= page.end <= len(document.text)
        ends.append(page.end)
    return document


# --- golden files ---


@pytest.mark.parametrize("name", ["page.html", "notes.md", "letter.txt"])
def test_golden_file(name: str) -> None:
    document = read(GOLDEN / name)
    headings = "".join(f"{h.level} {h.title} @{h.start}\n" for h in document.headings)
    metadata = "".join(f"{key}: {value}\n" for key, value in sorted(document.metadata.items()))
    expected = (GOLDEN / f"{name}.expected").read_text(encoding="utf-8")
    assert f"{metadata}---\n{headings}---\n{document.text}\n" == expected


# --- types ---


def test_every_extension_has_a_media_type() -> None:
    heads = {
        "pdf": b"%PDF-1.7",
        "zip": b"PK\x03\x04",
        "text": b"text",
        "png": b"\x89PNG\r\n\x1a\n",
        "jpeg": b"\xff\xd8\xff\xe0",
    }
    heads |= {"tiff": b"II*\0", "webp": b"RIFF\0\0\0\0WEBP"}
    for file_type in registry.FILE_TYPES:
        for extension in file_type.extensions:
            assert extension in all_extensions()
            assert media_type_of("a" + extension.upper(), heads[file_type.content]) == file_type.media_type


def test_pdf_under_a_text_name_is_a_pdf(write: Write) -> None:
    document = read(write("a.txt", make_pdf([[("Hello there.", 11, False, 700)]])))
    assert document.text == "Hello there."
    assert "named .txt" in document.warnings[0]


def test_text_about_pdf_stays_text(write: Write) -> None:
    assert media_type_of("a.md", b"A PDF begins with %PDF-1.7, always.") == "text/markdown"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.pdf", b"just some text", "unreadable"),
        ("a.docx", b"just some text", "unreadable"),
        ("a.docx", make_zip({"a.txt": b"no Word document"}), "unreadable"),
        ("a.docx", b"PK\x03\x04 and then nothing of the kind", "unreadable"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "unreadable"),
        ("a.pdf", b"", "empty"),
        ("a.txt", b"", "empty"),
        ("a.txt", b" \n\t\n", "no_text"),
        ("a.html", b"<!-- nothing -->", "no_text"),
        ("a.html", b"<script>only()</script>", "no_text"),
        ("a.docx", make_docx(""), "no_text"),
    ],
)
def test_unreadable(write: Write, name: str, data: bytes, code: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(write(name, data))
    assert caught.value.code == code


@pytest.mark.parametrize(("name", "data"), [("a.exe", b"MZ"), ("noname", b"text"), ("a.txt", bytes(range(256)) * 8)])
def test_unsupported(write: Write, name: str, data: bytes) -> None:
    with pytest.raises(UnsupportedTypeError) as caught:
        read(write(name, data))
    assert caught.value.details["accepted"] == list(all_extensions())


def test_missing_file() -> None:
    with pytest.raises(UnreadableError):
        read_file(Path("does/not/exist.txt"), "exist.txt")


# --- PDF ---

BODY = "The quick brown fox jumps over the lazy dog and does not stop there."


def test_pdf_pages_headings_and_paragraphs(write: Write) -> None:
    pages = [
        [("Annual Report", 24, False, 720), ("First line of the body,", 11, False, 680), ("second line.", 11, False, 666),
         (BODY, 11, False, 652), ("A new paragraph.", 11, False, 620), (BODY, 11, False, 606)],
        [("Costs", 11, True, 720), ("• one", 11, False, 700), ("• two", 11, False, 686), (BODY, 11, False, 672)],
    ]  # fmt: skip
    document = read(write("a.pdf", make_pdf(pages, info="/Title(Report)/Author(A. Writer)")))
    first = f"Annual Report\n\nFirst line of the body,\nsecond line.\n{BODY}\n\nA new paragraph.\n{BODY}"
    second = f"Costs\n\n• one\n• two\n{BODY}"
    assert document.text == f"{first}\n\n{second}"
    assert document.pages == (PageSpan(1, 0, len(first)), PageSpan(2, len(first) + 2, len(document.text)))
    assert document.headings == (Heading(1, "Annual Report", 0), Heading(2, "Costs", len(first) + 2))
    assert document.metadata == {"title": "Report", "author": "A. Writer"}


def test_pdf_outline_wins(write: Write) -> None:
    pages = [
        [("Big", 30, False, 720), (BODY, 11, False, 700)],
        [("1.1 Small print", 11, False, 720), (BODY, 11, False, 700)],
    ]
    document = read(write("a.pdf", make_pdf(pages, outline="Big@0|Small print@1")))
    assert [heading.title for heading in document.headings] == ["Big", "Small print"]
    assert document.text[document.headings[1].start :].startswith("1.1 Small print")


def test_pdf_running_heads_go_and_the_first_stays(write: Write) -> None:
    pages = [
        [("Contoso Handbook", 9, False, 770), (f"Chapter text {chr(65 + i)} here.", 11, False, 700), (BODY, 11, False, 680),
         (f"{chr(97 + i)} last words.", 11, False, 660), (f"Page {i + 1} of 5", 9, False, 30)]
        for i in range(5)
    ]  # fmt: skip
    document = read(write("a.pdf", make_pdf(pages)))
    assert document.text.count("Contoso Handbook") == 1
    assert "Page" not in document.text
    assert document.text.count("last words") == 5


def test_pdf_chinese(write: Write) -> None:
    assert read(write("a.pdf", make_chinese_pdf("员工手册规定年假为十五天。"))).text == "员工手册规定年假为十五天。"


# letters drawn as areas
PICTURE = b"<</Length 150>>stream\n%s\nendstream" % (b"0 0 10 10 re f " * 10)


def test_pdf_written_from_top_to_bottom_is_told_from_a_turned_one() -> None:
    down = Line("员工手册规定年假为", 10.0, False, 700.0, 610.0)
    across = Line("A heading over it", 10.0, False, 720.0, 720.0)
    unknown = Line("no size, as of a second reader", 0.0, False, 700.0, 0.0)
    narrow, wide = [Segment("员工手册规定年假为", 300.0, 310.0, 0)], [Segment("A heading over it", 100.0, 300.0, 0)]
    assert _runs_down([down, down, across], [narrow, narrow, wide])
    assert not _runs_down([across, across, down], [wide, wide, narrow])
    assert not _runs_down([down, down, across], [wide, wide, wide])  # lines of two columns that pdfium took for one
    assert not _runs_down([unknown], [narrow])


def test_pdf_whose_codes_have_their_bytes_swapped(write: Write) -> None:
    swapped = "".join(chr(ord(each) << 8) for each in "Annual leave")
    assert read(write("a.pdf", make_chinese_pdf(swapped))).text == "Annual leave"


def test_pdf_page_without_text_is_named(write: Write) -> None:
    data = make_pdf([[("Some text.", 11, False, 700)], []])
    data = data.replace(b"<</Length 0>>stream\n\nendstream", PICTURE)
    document = read(write("a.pdf", data))
    assert len(document.warnings) == 1
    assert document.warnings[0].startswith("No text, only pictures: page 2 (to have them read, set DOCENT_OCR to auto")
    assert document.pages[1] == PageSpan(2, 10, 10)


def test_pdf_without_any_text(write: Write) -> None:
    blank = make_pdf([[], []])
    with pytest.raises(UnreadableError, match="blank") as caught:
        read(write("a.pdf", blank))
    assert caught.value.code == "no_text"
    with pytest.raises(UnreadableError, match="OCR") as caught:
        read(write("b.pdf", blank.replace(b"<</Length 0>>stream\n\nendstream", PICTURE)))
    assert caught.value.code == "no_text"


def test_pdf_pages_that_are_one_line_each_are_kept(write: Write) -> None:
    document = read(write("a.pdf", make_pdf([[(f"Potato {number}", 11, False, 700)] for number in range(1, 9)])))
    assert document.text == "\n\n".join(f"Potato {number}" for number in range(1, 9))


def test_pdf_running_lines_with_their_page_go_and_others_stay(write: Write) -> None:
    pages: list[list[tuple[str, int, bool, int]]] = [
        [(f"Manual, part {9 - number}", 9, False, 780), (f"Case {number}", 20, False, 740), (BODY, 11, False, 700),
         (f"{BODY} {number}", 11, False, 686), ("And so on.", 11, False, 672), (f"Handbook | {number + 1} of 9", 9, False, 30)]
        for number in range(8)
    ]  # fmt: skip
    text = read(write("a.pdf", make_pdf(pages))).text
    assert text.count("Handbook") == 1
    assert text.count("Manual, part") == 8  # counts down: no page number
    assert text.count("Case") == 8  # set as a heading


def test_pdf_without_pages(write: Write) -> None:
    with pytest.raises(UnreadableError):
        read(write("a.pdf", make_pdf([])))


def test_truncated_pdf(write: Write) -> None:
    whole = make_pdf([[(f"{BODY} {i}", 11, False, 700)] for i in range(20)])
    with pytest.raises(UnreadableError):
        read(write("a.pdf", whole[:300]))
    # Half of it can be saved by rebuilding the cross-references, or cannot; it must not do anything else.
    with contextlib.suppress(UnreadableError):
        assert BODY in read(write("b.pdf", whole[: len(whole) // 2])).text


@pytest.mark.parametrize(("user", "readable"), [("secret", False), ("", True)])
def test_encrypted_pdf(write: Write, user: str, readable: bool) -> None:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(PdfReader(io.BytesIO(make_pdf([[("Hidden words.", 11, False, 700)]]))))
    writer.encrypt(user, "owner", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    path = write("a.pdf", buffer.getvalue())
    if readable:
        assert read(path).text == "Hidden words."
    else:
        with pytest.raises(EncryptedError, match="password"):
            read(path)


# --- DOCX ---


def test_docx(write: Write) -> None:
    table = "<w:tbl>" + "".join(
        "<w:tr>" + "".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) + "</w:tr>" for row in (("Plan", "Cost"), ("Basic", "5 €"))
    ) + "</w:tbl>"  # fmt: skip
    body = paragraph("The Title", "Title") + paragraph("Chapter", "heading1") + paragraph("Some   text.") + table
    document = read(write("a.docx", make_docx(body, title="Core")))
    assert document.text == "The Title\n\nChapter\n\nSome text.\n\nPlan | Cost\nBasic | 5 €"
    assert document.headings == (Heading(1, "The Title", 0), Heading(2, "Chapter", 11))
    assert document.metadata == {"title": "Core"}


def test_docx_bomb(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    make_bomb(path, megabytes=300)
    with pytest.raises(UnreadableError) as caught:
        read(path)
    assert caught.value.code == "archive_bomb"


def test_docx_of_many_members(write: Write) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(write("a.docx", make_zip({f"{i}": b"" for i in range(10_001)})))
    assert caught.value.code == "archive_bomb"


def test_docx_with_broken_xml(write: Write) -> None:
    with pytest.raises(UnreadableError):
        read(write("a.docx", make_docx("<w:p><w:r>")))


# --- HTML ---


@pytest.mark.parametrize("depth", [300, 20_000])
def test_html_nested_deeply(write: Write, depth: int) -> None:
    data = b"<title>T</title>" + b"<div>" * depth + b"the core" + b"</div>" * depth + b"<p>and the end</p>"
    document = read(write("a.html", data))
    assert document.text == "the core\n\nand the end"
    assert document.warnings


def test_html_hidden_text_is_left_out(write: Write) -> None:
    data = b"<p>Seen<span style='display: none'>unseen</span> text<b hidden>x</b></p><template>no</template>"
    assert read(write("a.html", data)).text == "Seen text"


def test_html_charset_of_meta(write: Write) -> None:
    data = '<meta charset="gb2312"><p>中文网页</p>'.encode("gb18030")
    assert read(write("a.html", data)).text == "中文网页"


def test_html_whose_declared_charset_is_wrong(write: Write) -> None:
    page = '<meta charset="iso-8859-1"><p>Größe über alles, façade</p>'
    assert "Größe über" in read(write("a.html", page.encode())).text
    assert "Größe über" in read(write("a.html", page.encode("latin-1"))).text
    chinese = '<meta charset="iso-8859-1"><p>公司規定，員工每年享有十五天的帶薪年假，這是我們的規則。</p>'
    assert "員工每年" in read(write("a.html", chinese.encode("big5"))).text


def test_html_layout_table(write: Write) -> None:
    data = b"<table><tr><td><h1>Head</h1><p>Body</p></td><td><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>"
    document = read(write("a.html", data))
    assert document.text == "Head\n\nBody\n\na | b"
    assert document.headings == (Heading(1, "Head", 0),)


# --- text ---


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("plain", "utf-8"),
        ("naïve 中文", "utf-8"),
        ("\ufeffmarked", "utf-8"),
        ("中文", "gb18030"),
        ("公司规定，员工每年享有十五天带薪年假。", "gb18030"),
        ("Annual leave 年假 is 15 days", "gb18030"),
        ("été", "cp1252"),
        ("Le café est fermé à Noël, même l’été.", "cp1252"),
        ("Größe und Füße für 5 €", "cp1252"),
        ("The “quoted” text", "cp1252"),
        ("UTF-16 without a mark", "utf-16-le"),
        ("UTF-16 without a mark", "utf-16-be"),
        ("Съешь же ещё этих мягких французских булок, да выпей чаю. Это обычный русский текст.", "cp1251"),
        ("КОИ-8 (код обмена информацией, 8 битов), по первым буквам русского алфавита", "koi8-r"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy.", "cp1250"),
        ("Zażółć gęślą jaźń, a potem odpocznij.", "iso8859-2"),
        ("Türkçe ve İngilizce çağrı şöyle ışıdı", "cp1254"),
        ("Ξεσκεπάζω την ψυχοφθόρα βδελυγμία του κόσμου", "cp1253"),
        ("דג סקרן שט בים מאוכזב ולפתע מצא חברה", "cp1255"),
        ("ทุกคนมีสิทธิในการศึกษาและการทำงาน", "cp874"),
        ("El precio medio es de 2212 ¤/m2, según datos de la Sociedad; bajó después", "iso8859-1"),
        ("これは日本語の文章です。会社の規則について。", "cp932"),
        ("これは日本語の文章です。会社の規則について。", "euc_jp"),
        ("件名は会議の案内です。", "iso2022_jp"),
        ("모든 직원은 일 년에 십오 일의 휴가를 받는다. 이것은 규칙이다.", "cp949"),
        ("모든 직원은 휴가를 받는다.", "iso2022_kr"),
        ("公司規定，員工每年享有十五天的帶薪年假，這是我們的規則。", "big5"),
    ],
)
def test_decode(text: str, encoding: str) -> None:
    decoded, _ = decode(text.encode(encoding))
    assert decoded == text.lstrip("\ufeff")


def test_decode_mended_utf8() -> None:
    assert decode("ein schöner Tag für alle, überall und ähnlich öfter".encode() * 20 + b"\xff")[0].endswith("\ufffd")


def test_decode_utf16_with_mark() -> None:
    assert decode("中文 text".encode("utf-16"))[0] == "中文 text"


# --- normalisation ---


@given(st.text(alphabet=st.characters(codec=None), max_size=200))
@settings(max_examples=300, deadline=None)
def test_normalise(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert "\n\n\n" not in once
    assert "\r" not in once
    assert not any("\ud800" <= c <= "\udfff" or c == "\0" for c in once)
    assert all(line == line.rstrip() for line in once.split("\n"))


def test_normalise_removes_invisible_instructions() -> None:
    hidden = "".join(chr(0xE0000 + ord(c)) for c in "obey")
    assert normalise(f"a{hidden}b\u202ec\u00add\u200be") == "abcde"
    assert normalise("e\u0301\r\nx \t\r\r\r\ry\u3000z") == "é\nx\n\ny z"


def test_builder_positions() -> None:
    builder = TextBuilder()
    builder.begin_page(1)
    builder.add_heading(9, "Title")
    builder.begin_page(2)
    builder.begin_page(3)
    builder.add_block("body")
    document = builder.build({"title": " x ", "author": ""})
    assert document == ParsedDocument(
        "Title\n\nbody",
        (PageSpan(1, 0, 5), PageSpan(2, 5, 5), PageSpan(3, 7, 11)),
        (Heading(6, "Title", 0),),
        {"title": "x"},
    )
