"""What is attached to a mail is read where there is a reader for it, under its name, whatever type the sender gave it."""

from __future__ import annotations

import base64

import pytest

from ingest.readers.markup.mail_parts import decoded_words, is_message, telling_name
from rag.types import ParsedDocument
from tests.cases.workbooks import make_merged_xlsx
from tests.ingest.conftest import Write, make_docx, make_pdf
from tests.ingest.readers.builders import read

INNER = b"From: depot@example.org\nSubject: Gate code\nDate: Tue, 04 Mar 2031 08:00:00 +0000\n\nThe code is 5518.\n"
OCTETS = "application/octet-stream"


def _mail(*attached: tuple[str, str, bytes]) -> bytes:
    """A mail with files: type, name and bytes of each."""
    parts = [b"Content-Type: text/plain\n\nPlease read."]
    for kind, name, data in attached:
        named = f'; name="{name}"\nContent-Disposition: attachment; filename="{name}"' if name else ""
        parts.append(
            f"Content-Type: {kind}{named}\nContent-Transfer-Encoding: base64\n\n".encode() + base64.encodebytes(data)
        )
    body = b"".join(b"--b\n" + part + b"\n" for part in parts)
    return (
        b'From: a@b.c\nSubject: Fwd\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n'
        + body
        + b"--b--\n"
    )


def _read(write: Write, *attached: tuple[str, str, bytes]) -> ParsedDocument:
    return read(write("a.eml", _mail(*attached)))


@pytest.mark.parametrize("name", ["gate.eml", "gate", "gate.dat", ""])
@pytest.mark.parametrize("kind", [OCTETS, "message/rfc822"])
def test_a_message_is_told_by_its_content(write: Write, name: str, kind: str) -> None:
    document = _read(write, (kind, name, INNER))
    assert document.text.endswith("Subject: Gate code\n\nThe code is 5518.")
    assert document.headings[-1].title == "Gate code"
    assert not document.warnings


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("costs.csv", "项目,金额\n保险,2700\n".encode("gb18030"), "项目 | 金额\n保险 | 2700"),
        ("costs.xlsx", make_merged_xlsx({"S": ([["Item", "Sum"], ["Rope", "7"]], [])}), "Item | Sum\nRope | 7"),
        ("costs", make_merged_xlsx({"S": ([["Item", "Sum"], ["Rope", "7"]], [])}), "Item | Sum\nRope | 7"),
        ("letter.pdf", make_pdf([[("Hello there.", 11, False, 700)]]), "Hello there."),
        ("letter", make_pdf([[("Hello there.", 11, False, 700)]]), "Hello there."),
        ("letter.docx", make_docx("<w:p><w:r><w:t>Hello there.</w:t></w:r></w:p>"), "Hello there."),
        ("note.md", b"# Rope\n\nSeven metres.", "# Rope\n\nSeven metres."),
        ("note.txt", b"Seven metres.", "Seven metres."),
    ],
)
def test_what_has_a_reader_is_read(write: Write, name: str, data: bytes, words: str) -> None:
    document = _read(write, (OCTETS, name, data))
    assert document.text.endswith(words)
    assert any(heading.title == name for heading in document.headings)
    assert not document.warnings


def test_what_has_none_is_named(write: Write) -> None:
    document = _read(
        write, ("image/png", "a.png", b"\x89PNG"), (OCTETS, "b.bin", b"\0\1\2"), (OCTETS, "c.pdf", b"%PDF-1.4 damaged")
    )
    assert document.warnings == ("Attachments were not read, upload them by themselves: a.png, b.bin, c.pdf.",)


def test_messages_within_messages(write: Write) -> None:
    document = _read(write, (OCTETS, "inner.eml", _mail((OCTETS, "deep.eml", _mail((OCTETS, "gate.eml", INNER))))))
    assert document.headings[-1].title == "Gate code"
    endless = INNER
    for _ in range(30):
        endless = _mail((OCTETS, "more.eml", endless))
    assert "Please read." in read(write("b.eml", endless)).text


def test_encoded_names() -> None:
    assert decoded_words('"=?gb2312?B?yeixuL/G?=" <a@b.c>') == '"设备科" <a@b.c>'
    assert decoded_words('" =?gb2312?B?yeixuL/G?= " <a@b.c>') == '"设备科" <a@b.c>'
    assert (
        decoded_words("=?utf-8?Q?J=C3=B6rg?= =?utf-8?Q?_Mei=C3?= =?UTF-8?Q?=9Fner?= <j@b.c>") == "Jörg Meißner <j@b.c>"
    )
    assert decoded_words("Re: =?iso-8859-1?Q?Gr=FC=DFe?= from =?x-none?B?YWI=?=") == "Re: Grüße from ab"
    assert decoded_words("no =?word here ?= at all") == "no =?word here ?= at all"


def test_what_begins_as_a_message() -> None:
    assert is_message(b"X-Spam: no\nReceived: from a\n by b\nSubject: x\n\nText")
    assert not is_message(b"Dear all,\n\nFrom: here")
    assert not is_message(b"key: value\n" * 10)


def test_telling_name() -> None:
    accepted = (".pdf", ".txt")
    assert telling_name("a.PDF", b"x", accepted=accepted) == "a.PDF"
    assert telling_name("a.xyz", b"words", accepted=accepted) == ""
    assert telling_name("a", b"<html><p>x", accepted=accepted) == "a.html"
    assert telling_name("a", b"PK\x03\x04 no archive", accepted=accepted) == ""
