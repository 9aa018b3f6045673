"""The Markdown of answers: what it may become, what stays text, and where citations and verdicts stand."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from web.rendering import Node, tree_of

ALLOWED = set("p ul ol li blockquote strong table thead tbody tr th td h3 h4 h5 h6 span br hr code pre".split())


def words(nodes: list[Node]) -> str:
    return "".join(
        node if isinstance(node, str) else f"[{node['cite']}]" if "cite" in node else words(node.get("children", []))
        for node in nodes
    )


def tags(nodes: list[Any]) -> list[str]:
    found = []
    for node in nodes:
        if isinstance(node, dict) and "tag" in node:
            found += [node["tag"], *tags(node["children"])]
    return found


def test_a_sentence_with_its_citation_and_verdict() -> None:
    text = "The pump runs at **40 bar**. [1] Oil is changed in March [2]."
    nodes = tree_of(text, [(28, "verified"), (len(text), "misattributed")], [1, 2])
    assert nodes == [
        {
            "tag": "p",
            "children": [
                "The pump runs at ",
                {"tag": "strong", "children": ["40 bar"]},
                ". ",
                {"cite": 1},
                {"verdict": "verified"},
                " Oil is changed in March ",
                {"cite": 2},
                ".",
                {"verdict": "misattributed"},
            ],
        }
    ]


def test_a_sentence_that_ends_in_strong_words() -> None:
    (paragraph,) = tree_of("It is **so.**", [(13, "verified")], [])
    assert paragraph["children"] == ["It is ", {"tag": "strong", "children": ["so."]}, {"verdict": "verified"}]  # type: ignore[index]


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "<script>alert(1)</script>",
        "![x](https://evil.example/p.png)",
        "[a](javascript:alert(1))",
        "<https://evil.example>",
        "[9] is no citation",
        "[1]: https://evil.example",
        "2*3*4 and snake_case_name",
        "⁅0⁆",
    ],
)
def test_what_must_stay_text(text: str) -> None:
    nodes = tree_of(text, [], [1])
    assert words(nodes) == text.replace("⁅", "[").replace("⁆", "]")
    assert tags(nodes) == ["p"]


def test_lists_tables_code_and_lines() -> None:
    text = "# Title\n\n3. one [1]\n4. two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nx = '[1]'\n```\n\nline\nbreak"
    nodes = tree_of(text, [(text.index("'\n```"), "verified")], [1])
    assert [node["tag"] for node in nodes if isinstance(node, dict) and "tag" in node] == [
        "h3",
        "ol",
        "table",
        "pre",
        "p",
    ]
    assert nodes[1]["start"] == 3  # type: ignore[index]
    assert {"verdict": "verified"} in nodes
    assert "x = '[1]'" in json.dumps(nodes)
    assert tags(nodes)[-1] == "br"


@given(st.text(alphabet="ab[]12*_`<>&#|-\n.! ⁅⁆(){}\\~>+中", max_size=80), st.lists(st.integers(0, 90), max_size=4))
@settings(deadline=None)
def test_nothing_but_known_nodes_and_no_verdict_twice(text: str, ends: list[int]) -> None:
    nodes = tree_of(text, [(min(end, len(text)), "verified") for end in sorted(ends)], [1, 2])
    assert set(tags(nodes)) <= ALLOWED
    dumped = json.dumps(nodes, ensure_ascii=False)
    assert not re.search("[⁅⁆]", dumped)
    assert dumped.count('{"verdict"') <= len(ends)
