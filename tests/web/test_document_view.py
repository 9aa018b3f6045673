"""The HTML of a document's text: harmless, complete, and marked where it should be."""

from __future__ import annotations

import re
from html import unescape

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from rag.types import Heading
from web.document_view import MAX_CHARACTERS, body_of, part_of, whole_lines

TEXT = "Pumps\n\nThe pump runs.\nIt hums & <b>hisses</b>.\n\nName | Bar\nP1 | 40\n\nThe end."


def squeezed(text: str) -> str:
    return re.sub(r"[\s|]", "", text)


def marks(html: str) -> list[str]:
    return [unescape(found) for found in re.findall(r"<mark[^>]*>(.*?)</mark>", html, flags=re.DOTALL)]


def test_headings_paragraphs_and_tables() -> None:
    html = body_of(TEXT, [Heading(1, "Pumps", 0)])
    assert "<h2>Pumps</h2>" in html
    assert '<p dir="auto">The pump runs.\nIt hums &amp; &lt;b&gt;hisses&lt;/b&gt;.</p>' in html
    assert html.count("<tr>") == 2
    assert html.count("<td") == 4
    assert not marks(html)


def test_a_span_over_everything() -> None:
    start = TEXT.index("hums")
    html = body_of(TEXT, [], start=start, end=TEXT.index("end."))
    assert marks(html) == ["hums & <b>hisses</b>.", "Name", "Bar", "P1", "40", "The "]
    assert html.count('id="cited"') == html.count("autofocus") == 1
    assert html.index('id="cited"') < html.index('class="cited">Name')


def test_a_span_of_blanks_marks_nothing() -> None:
    assert not marks(body_of(TEXT, [], start=5, end=7))


@given(
    st.text(alphabet="ab<>&\"'/= |\n中", max_size=120), st.integers(0, 130), st.integers(0, 130), st.integers(0, 9000)
)
@settings(deadline=None)
def test_all_text_arrives_and_nothing_else(text: str, one: int, other: int, offset: int) -> None:
    start, end = sorted((one, other))
    html = body_of(text, [Heading(2, "x", offset)], offset=offset, start=offset + start, end=offset + end)
    assert squeezed("".join(marks(html))) == squeezed(text[start:end])
    tree = lxml_html.fromstring(f"<div>{html}</div>")
    assert squeezed(tree.text_content()) == squeezed(text)
    assert {node.tag for node in tree.iter()} <= {"div", "p", "mark", "table", "tbody", "tr", "td", "h3"}
    assert {name for node in tree.iter() for name in node.attrib} <= {"dir", "id", "class", "tabindex", "autofocus"}


def test_parts_of_a_long_text() -> None:
    length = 3 * MAX_CHARACTERS
    assert part_of(50, at=20) == (0, 50)
    assert part_of(length, at=0) == (0, MAX_CHARACTERS)
    begin, end = part_of(length, at=0, focus=2 * MAX_CHARACTERS)
    assert begin < 2 * MAX_CHARACTERS < end
    assert part_of(length, at=length + 5)[0] == length - 1


def test_the_parts_make_the_whole() -> None:
    text = "\n".join(f"line number {n}" for n in range(60000))
    shown, at = [], 0
    while at < len(text):
        begin, end = part_of(len(text), at=at)
        begin, part = whole_lines(text[begin:end], begin, len(text))
        assert text[begin : begin + len(part)] == part
        shown.append(part)
        at = begin + len(part)
    assert "\n".join(shown) == text
