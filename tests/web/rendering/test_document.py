"""The HTML of a document's text: harmless, complete, and marked where it should be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from rag.types import Heading
from web.rendering.document import (
    MARKDOWN,
    MAX_CHARACTERS,
    RESTRUCTURED,
    SOURCE,
    html_of,
    nodes_of,
    part_of,
    whole_lines,
)

TEXT = "Pumps\n\nThe pump runs.\nIt hums & <b>hisses</b>.\n\nName | Bar\nP1 | 40\n\nThe end."


def body_of(
    text: str,
    headings: Sequence[Heading],
    *,
    offset: int = 0,
    start: int = 0,
    end: int = 0,
    media_type: str = "text/plain",
) -> str:
    return html_of(nodes_of(text, headings, media_type=media_type, offset=offset, marked=(start, end)))


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


MANUAL = """# Setup

Install **it** with `pip install x`,
then see [the guide](https://a.example/guide) or [the notes](notes.md).

1. Start it:

   ```bash
   docent serve  # port 8000
   ```
2. Ask.

| Option | Means |
|---|---|
| `a \\| b` | the **port** |

    indented code
"""


def cited(text: str, words: str, media_type: str = MARKDOWN) -> tuple[str, list[str]]:
    """The HTML with `words` marked, and what is marked in it."""
    start = text.index(words)
    html = body_of(text, [], start=start, end=start + len(words), media_type=media_type)
    return html, marks(html)


def test_markdown_is_shown_as_what_it_means() -> None:
    html = body_of(MANUAL, [], media_type=MARKDOWN)
    for shown in (
        "<h2>Setup</h2>",
        "<strong>it</strong> with <code>pip install x</code>, then",
        '<span class="link">the guide</span><span class="address">(https://a.example/guide)</span>',
        '<pre tabindex="0"><code>docent serve  # port 8000</code></pre>',
        '<th dir="auto">Option</th>',
        '<td dir="auto"><code>a | b</code></td>',
        '<pre tabindex="0"><code>indented code</code></pre>',
    ):
        assert shown in html
    assert html.count("<li") == 2
    assert html.count("<ol") == 1
    for raw in ("#  Setup", "**", "```", "|---", "notes.md"):
        assert raw not in html


def test_a_span_is_marked_inside_any_markup() -> None:
    assert cited(MANUAL, "docent serve")[1] == ["docent serve"]
    assert cited(MANUAL, "port** |")[1] == ["port"]
    assert cited(MANUAL, "a \\| b")[1] == ["a | b"]
    assert cited(MANUAL, "**it** with `pip install x`,\nthen")[1] == ["it", " with ", "pip install x", ", then"]
    assert cited(MANUAL, "[the notes](notes.md)")[1] == ["the notes", "(notes.md)"], (
        "nothing of what is cited is hidden"
    )
    assert cited(MANUAL, "indented code")[1] == ["indented code"]


def test_html_of_a_document_is_text() -> None:
    html = body_of("<script>alert(1)</script>\n\n[x](javascript:alert(1)) <b onclick=y>", [], media_type=MARKDOWN)
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert {node.tag for node in lxml_html.fromstring(f"<div>{html}</div>").iter()} <= {"div", "p", "span"}


def test_restructured_text_with_literals_and_lists() -> None:
    text = (
        "Title\n\nUse ``pip``::\n\n    pip install x\n      y\n\n    z | a\n\nThen **do** it:\n\n- one\n- two ``c | d``\n\n"
        ".. code-block:: python\n   :linenos:\n\n   print(1)\n\n.. note:: Beware\n\na | b\n1 | 2"
    )
    html = body_of(text, [Heading(1, "Title", 0)], media_type=RESTRUCTURED)
    for shown in (
        "<h2>Title</h2>",
        '<pre tabindex="0"><code>pip install x\n  y\n\nz | a</code></pre>',
        "<strong>do</strong>",
        "two <code>c | d</code>",
        '<pre tabindex="0"><code>print(1)</code></pre>',
        ".. note:: Beware",
        '<tr><td dir="auto">1</td><td dir="auto">2</td></tr>',
    ):
        assert shown in html
    assert ":linenos:" not in html
    assert cited(text, "x\n      y", RESTRUCTURED)[1] == ["x\n  y"]
    assert "".join(cited(text, ".. code-block:: python\n   :linenos:", RESTRUCTURED)[1]).startswith(".. code-block")


def test_a_program_is_code() -> None:
    html, marked = cited("def f():\n    return '<b>'  # 1 | 2", "return '<b>'", SOURCE)
    assert marked == ["return '<b>'"]
    assert html.startswith('<pre tabindex="0"><code>def f():\n    ')


def test_lines_that_a_page_broke_flow_again() -> None:
    line = "This line is long enough to have been broken by a page"
    text = f"{line}\nand goes on here.\n\n水泵的工作压力是四十巴它由北风公司于一九九八年安装水泵的工作压力是四十巴它由北风公司\n于一九九八年安装。"
    html = body_of(text, [], start=len(line) - 4, end=len(line) + 4)
    assert marks(html) == ["page and"]
    assert "北风公司于一九九八年安装。" in html


def test_only_the_blocks_that_are_wanted() -> None:
    at = MANUAL.index("docent")
    (steps,) = nodes_of(MANUAL, [], media_type=MARKDOWN, shown=(at, at + 3))
    assert steps["tag"] == "ol"  # type: ignore[index]
    (heading,) = nodes_of(MANUAL, [], media_type=MARKDOWN, shown=(0, 3), offset=0)
    assert heading == {"tag": "h2", "children": ["Setup"], "at": 0}


def text_in(nodes: list[Any]) -> str:
    return "".join(node if isinstance(node, str) else text_in(node["children"]) for node in nodes)


@given(
    st.text(alphabet="ab *_`#|-\n.1)[](>~\\中\t", max_size=120),
    st.integers(0, 120),
    st.integers(0, 120),
    st.sampled_from([MARKDOWN, RESTRUCTURED]),
)
@settings(deadline=None, max_examples=400)
def test_letters_are_marked_where_they_are_cited_and_nowhere_else(text: str, one: int, other: int, kind: str) -> None:
    start, end = sorted((min(one, len(text)), min(other, len(text))))
    html = body_of(text, [], start=start, end=end, media_type=kind)

    def letters(of: str) -> str:
        return re.sub(r"[^ab中]", "", of)

    marked = letters("".join(marks(html)))
    assert marked in letters(text[start:end]) or "```" in text or "~~~" in text
    if "```" not in text and "~~~" not in text:  # the name of code's language is not shown among its lines
        assert marked == letters(text[start:end])
