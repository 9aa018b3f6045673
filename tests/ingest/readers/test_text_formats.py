"""Formats that are text: CSV, JSON, notebooks, e-mails, reStructuredText, rich text, source code."""

from __future__ import annotations

import json
from email.message import EmailMessage

import pytest

from ingest.readers.text.delimited import find_delimiter
from rag.errors import UnreadableError
from tests.ingest.conftest import Write
from tests.ingest.readers.builders import read

# --- CSV ---


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"Name,City\nAnna,Graz\nBo,Linz\n", "Name | City\nAnna | Graz\nBo | Linz"),
        (b"Name;Cost\nAnna;1,5\nBo;2,5\n", "Name | Cost\nAnna | 1,5\nBo | 2,5"),
        (b"sep=|\nName|City\nAnna|Graz\n", "Name | City\nAnna | Graz"),
        (b'a,"b ""q"", c\nd"\ne,f\n', 'a | b "q", c d\ne | f'),
        ("姓名,城市\n张三,上海\n李四,北京\n".encode("gb18030"), "姓名 | 城市\n张三 | 上海\n李四 | 北京"),
        ("Name\tOrt\nÄnne\tKöln\n".encode("utf-16"), "Name | Ort\nÄnne | Köln"),
        (b"just\none\ncolumn\n", "just\none\ncolumn"),
    ],
)
def test_csv(write: Write, data: bytes, expected: str) -> None:
    assert read(write("a.csv", data)).text == expected


def test_csv_with_an_open_quotation_mark_loses_nothing(write: Write) -> None:
    data = b'a,b\n1,"2\n' + b"".join(b"%d,x\n" % i for i in range(1000))
    document = read(write("a.csv", data))
    assert "999 | x" in document.text
    assert "quotation mark" in document.warnings[0]


def test_tsv_of_one_line() -> None:
    assert find_delimiter("a\tb\tc") == "\t"
    assert find_delimiter("") == ","


# --- JSON ---


def test_json_paths(write: Write) -> None:
    data = b'{"name": "Ann", "tags": ["a", "b"], "jobs": [{"t": 1.50, "x y": null}, {"t": 2}], "none": {}}'
    document = read(write("a.json", data))
    assert document.text == (
        'name: Ann\n\ntags[0]: a\ntags[1]: b\n\njobs[0].t: 1.50\njobs[0]."x y": null\n\njobs[1].t: 2\n\nnone: (empty)'
    )
    assert [(h.title, document.text[h.start :][:4]) for h in document.headings] == [("tags", "tags"), ("jobs", "jobs")]


def test_json_lines_with_a_bad_one(write: Write) -> None:
    document = read(write("a.jsonl", b'{"a": 1, "b": true}\nnot json\n{"a": 2}\n'))
    assert document.text == "a: 1\nb: true\n\nnot json\n\na: 2"
    assert document.warnings == ("1 of 3 lines are no valid JSON; they were read as plain text.",)


@pytest.mark.parametrize("data", [b"{'a': 1}", b"[" * 100_000, b'{"a": 1'])
def test_what_only_resembles_json(write: Write, data: bytes) -> None:
    document = read(write("a.json", data))
    assert document.text == data.decode()
    assert "no valid JSON" in document.warnings[0]


def test_json_without_blobs(write: Write) -> None:
    document = read(write("a.json", json.dumps({"n": "x", "picture": "A" * 5000}).encode()))
    assert document.text == "n: x\npicture: (5000 characters of data)"
    assert "1 values" in document.warnings[0]


# --- notebooks ---


def test_notebook(write: Write) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "Some *text*."]},
        {
            "cell_type": "code",
            "source": "1 + 1",
            "outputs": [
                {"output_type": "execute_result", "data": {"text/plain": ["2"], "image/png": "AAAA"}},
                {"output_type": "stream", "text": "\x1b[31mred\x1b[0m"},
                {"output_type": "display_data", "data": {"text/html": "<table><tr><td>a</td><td>b</td></tr></table>"}},
                {"output_type": "error", "ename": "KeyError", "evalue": "'x'"},
            ],
        },
    ]
    document = read(write("a.ipynb", json.dumps({"cells": cells, "nbformat": 4}).encode()))
    assert document.text == (
        "# Title\nSome *text*.\n\nCode of cell 2:\n1 + 1\n\nOutput of cell 2:\n2\nred\na | b\nKeyError: 'x'"
    )
    assert document.headings[0].title == "Title"
    assert document.warnings == ("Pictures in the output of cells were left out: 1.",)


def test_old_notebook(write: Write) -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Old"},
        {"cell_type": "code", "input": "x", "outputs": [{"output_type": "pyout", "text": "y"}]},
    ]
    document = read(write("a.ipynb", json.dumps({"worksheets": [{"cells": cells}]}).encode()))
    assert document.text == "Old\n\nCode of cell 2:\nx\n\nOutput of cell 2:\ny"


@pytest.mark.parametrize("data", [b"{}", b"[1]", b"{", b'{"cells": 3}'])
def test_no_notebook(write: Write, data: bytes) -> None:
    with pytest.raises(UnreadableError):
        read(write("a.ipynb", data))


# --- e-mail ---


def test_email(write: Write) -> None:
    message = EmailMessage()
    message["From"], message["To"] = "Änne <a@example.org>", "b@example.org"
    message["Subject"], message["Date"] = "Urlaub für März", "Mon, 04 Mar 2024 10:00:00 +0100"
    message.set_content("Plain body.\n")
    message.add_alternative("<p>Rich body.</p>", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="plan.pdf")
    document = read(write("a.eml", message.as_bytes()))
    assert document.text == (
        "From: Änne <a@example.org>\nTo: b@example.org\nDate: Mon, 04 Mar 2024 10:00:00 +0100\nSubject: Urlaub für März\n\nPlain body."
    )
    assert document.headings[0].title == "Urlaub für März"
    assert document.warnings == ("Attachments were not read, upload them by themselves: plan.pdf.",)
    assert document.metadata["author"] == "Änne <a@example.org>"


def test_email_in_html_and_a_forwarded_one(write: Write) -> None:
    inner = EmailMessage()
    inner["Subject"] = "Inner"
    inner.set_content("Deep text.")
    outer = EmailMessage()
    outer["Subject"] = "Outer"
    outer.set_content("<h2>Head</h2><ul><li>one</li></ul>", subtype="html")
    outer.add_attachment(inner)
    text = read(write("a.eml", outer.as_bytes())).text
    assert text == "Subject: Outer\n\nHead\n\n- one\n\nSubject: Inner\n\nDeep text."


@pytest.mark.parametrize(
    "header", [b"Subject: =?x-unknown?q?a?=", b"Subject: =?utf-8?b?!!!?=", b"Subject: \xff\xfe\xe4"]
)
def test_email_with_odd_headers(write: Write, header: bytes) -> None:
    data = header + b"\nContent-Type: text/plain; charset=no-such\nContent-Transfer-Encoding: x\n\nBody.\n"
    assert read(write("a.eml", data)).text.endswith("Body.")


def test_no_email_is_plain_text(write: Write) -> None:
    document = read(write("a.eml", b"\njust some text\n"))
    assert document.text == "just some text"
    assert "no header" in document.warnings[0]


def test_email_with_a_wrong_boundary(write: Write) -> None:
    body = b"--REAL\nContent-Type: text/plain\n\nKept text.\n--REAL\nContent-Type: text/html\n\n<p>no</p>\n--REAL--\n"
    data = b"\n Subject: x\nContent-Type: multipart/alternative; boundary=OTHER\n\n"
    document = read(write("a.eml", data + body))
    assert (document.text, document.warnings) == ("Subject: x\n\nKept text.", ())
    assert read(write("b.eml", data + b"No part at all.")).text == "Subject: x\n\nNo part at all."


def test_email_with_raw_bytes_in_headers(write: Write) -> None:
    data = "From: Jürgen <j@x.de>\nContent-Type: application/msword\nContent-Disposition: attachment; filename=Größe.doc\n\nAA"
    document = read(write("a.eml", data.encode("latin-1")))
    assert document.text == "From: Jürgen <j@x.de>"
    assert document.warnings == ("Attachments were not read, upload them by themselves: Größe.doc.",)


def test_email_whose_plain_form_is_a_hint(write: Write) -> None:
    plain, rich = "See the HTML form.", "<p>" + "The news in full. " * 20 + "</p>"
    message = EmailMessage()
    message["Subject"] = "News"
    message.set_content(plain)
    message.add_alternative(rich, subtype="html")
    text = read(write("a.eml", message.as_bytes())).text
    assert text.count("The news in full.") == 20
    assert plain not in text


# --- reStructuredText ---

RST = b"""=====
Title
=====

.. a comment
   that goes on

Part
----

- one
- two

+-----+------+
| A   | B    |
+=====+======+
| a1  | b1   |
|     | more |
+-----+------+

=====  =====
Col    Other
=====  =====
x      y
=====  =====

.. include:: /etc/passwd

.. raw:: html

   <b>no</b>

Code::

    x = 1
"""


def test_rst(write: Write) -> None:
    document = read(write("a.rst", RST))
    assert document.text == (
        "Title\n\nPart\n\n- one\n- two\n\nA | B\na1 | b1 more\n\nCol | Other\nx | y\n\n.. include:: /etc/passwd\n\nCode::\n\n    x = 1"
    )
    assert [(h.level, h.title) for h in document.headings] == [(1, "Title"), (2, "Part")]
    assert "not included: /etc/passwd" in document.warnings[0]
    assert "Raw" in document.warnings[1]


# --- rich text ---

RTF = rb"""{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Cyr;}{\f2\fcharset134 Song;}}
{\stylesheet{\s0 Normal;}{\s1\outlinelevel0 heading 1;}{\s2 heading 2;}}{\info{\title A title}{\author Li}{\operator no}}
{\*\generator nobody;}{\header never}\pard\s1 Chapter\par\pard Caf\'e9 \u8364?5 \{x\} {\v hidden}{\b bold}\line next{\footnote a note}\par
\pard\s2 Sub\par\pard{\listtext\'95\tab}one\par\pard{\listtext 2.\tab}two\par
\trowd\pard\intbl Plan\cell Cost\cell\row\trowd\intbl Basic\cell 5\cell\row\pard\par
{\f1 \'cf\'f0\'e8} {\f2 \'d6\'d0\'ce\'c4} \u-10179?\u-8704?{\pict\pngblip 89504e47}\par}"""


def test_rtf(write: Write) -> None:
    document = read(write("a.rtf", RTF))
    assert document.text == (
        "Chapter\n\nCafé €5 {x} bold\nnext [a note]\n\nSub\n\n- one\n2. two\n\nPlan | Cost\nBasic | 5\n\nПри 中文 😀"
    )
    assert [(h.level, h.title) for h in document.headings] == [(1, "Chapter"), (2, "Sub")]
    assert document.metadata == {"title": "A title", "author": "Li"}
    assert document.warnings == ()


def test_rtf_that_breaks_off_and_one_named_doc(write: Write) -> None:
    document = read(write("a.doc", RTF[: RTF.index(b"Plan")]))
    assert document.text.endswith("2. two")
    assert "Rich Text Format" in document.warnings[0]
    assert "breaks off" in document.warnings[1]


def test_rtf_with_deep_groups_and_binary_data(write: Write) -> None:
    data = rb"{\rtf1 a" + b"{" * 50_000 + rb"\bin4 {{}\ b" + b"}" * 50_001
    assert read(write("a.rtf", data)).text == "a b"


# --- source code ---


def test_code(write: Write) -> None:
    source = '# -*- coding: latin-1 -*-\nclass Älter:\n    """Größe"""\n\n    def size(self):\n        def inner(): ...\n\nasync def go(): ...\n'
    document = read(write("a.py", source.encode("latin-1")))
    assert document.text == source.strip("\n")
    assert [(h.level, h.title) for h in document.headings] == [
        (1, "class Älter"),
        (2, "def size"),
        (1, "async def go"),
    ]


@pytest.mark.parametrize(
    ("name", "source", "title"),
    [
        ("a.go", "func (s *Server) Run() {}", "func (s *Server) Run"),
        ("a.rs", "pub(crate) fn run<T>() {}", "pub(crate) fn run"),
        ("a.ts", "export default class Door {}", "export default class Door"),
        ("a.sql", "CREATE TABLE users (id int);", "CREATE TABLE users"),
        ("a.tex", "\\section{First steps}", "First steps"),
    ],
)
def test_definitions(write: Write, name: str, source: str, title: str) -> None:
    assert [heading.title for heading in read(write(name, source.encode())).headings] == [title]
