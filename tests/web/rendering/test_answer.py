"""The Markdown of answers: what it may become, what stays text, and where citations and verdicts stand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from web.rendering.answer import Checked, tree_of
from web.rendering.markup import Node

ALLOWED = set("p ul ol li blockquote strong em table thead tbody tr th td h3 h4 h5 h6 span br hr code pre a".split())


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
    nodes = tree_of(text, [Checked(0, 28, "verified", "text"), Checked(33, len(text), "misattributed")], [1, 2])
    assert nodes == [
        {
            "tag": "p",
            "children": [
                "The pump runs at ",
                {"tag": "strong", "children": ["40 bar"]},
                ". ",
                {"cite": 1},
                {"verdict": "verified", "checked_by": "text"},
                " Oil is changed in March ",
                {"cite": 2},
                ".",
                {"verdict": "misattributed"},
            ],
        }
    ]


def test_a_sentence_that_ends_in_strong_words() -> None:
    (paragraph,) = tree_of("It is **so.**", [Checked(0, 13, "verified")], [])
    assert paragraph["children"] == ["It is ", {"tag": "strong", "children": ["so."]}, {"verdict": "verified"}]  # type: ignore[index]


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "<script>alert(1)</script>",
        "[a](javascript:alert(1))",
        "[9] is no citation",
        "[x]: /evil",
        "[a](page.html)",
        "![x](data:image/png;base64,AA)",
        "2*3*4 and snake_case_name",
    ],
)
def test_what_must_stay_text(text: str) -> None:
    nodes = tree_of(text, [], [1])
    assert words(nodes) == text
    assert tags(nodes) == ["p"]


def test_lists_tables_code_and_lines() -> None:
    text = "# Title\n\n3. one [1]\n4. two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nx = '[1]'\n```\n\nline\nbreak"
    nodes = tree_of(text, [Checked(0, text.index("'\n```"), "verified")], [1])
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


def named(nodes: list[Any], tag: str) -> list[Any]:
    """All elements of a tag, at any depth."""
    found = []
    for node in nodes:
        if isinstance(node, dict):
            found += [node] * (node.get("tag") == tag) + named(node.get("children", []), tag)
    return found


def test_steps_with_code_between_them_remain_one_list() -> None:
    text = "1. Install it [1]:\n\n   ```bash\n   pip install x  # [1]\n   ```\n2. Start it. [1]\n   - with `[1]` or **not**"
    (steps,) = tree_of(text, [], [1])
    assert [item["tag"] for item in steps["children"]] == ["li", "li"]  # type: ignore[index]
    (code,) = named([steps], "pre")
    assert (code["language"], words([code])) == ("bash", "pip install x  # [1]")
    assert len(named([steps], "ul")) == 1
    assert json.dumps(steps).count('"cite"') == 2, "those in code are none"


@pytest.mark.parametrize("behind", [" [1]", "[1]", " [1][2]"])
def test_marks_behind_code_and_rows_break_neither(behind: str) -> None:
    text = f"```sh\nls\n```{behind}\n\nThen.\n\n| a | b |\n|---|---|\n| 1 | 2 |{behind}\n"
    sentences = [
        Checked(0, text.index("```", 3) + 3, "verified"),
        Checked(text.index("| 1"), len(text) - 1, "consistent"),
    ]
    nodes = tree_of(text, sentences, [1, 2])
    assert words(named(nodes, "code")) == "ls"
    assert "Then." in words(named(nodes, "p"))
    assert len(named(nodes, "tr")) == 2
    assert words(named(nodes, "td")[1:]).startswith("2")
    assert json.dumps(nodes).count('"cite"') == 2 * behind.count("[")
    after_code = nodes[1]["children"]  # type: ignore[index]
    assert after_code[-1] == {"verdict": "verified"}, "behind the marks"
    assert {"verdict": "consistent"} in named(nodes, "td")[1]["children"]


def test_links_lead_to_the_web_and_hold_no_button() -> None:
    nodes = tree_of(
        "See [the [1] guide](https://a.example/x) or https://b.example/y?z=1. [1](http://c.example)", [], [1]
    )
    assert [link["href"] for link in named(nodes, "a")] == [
        "https://a.example/x",
        "https://b.example/y?z=1",
        "http://c.example",
    ]
    assert all("cite" not in json.dumps(link) for link in named(nodes, "a"))
    assert json.dumps(nodes).count('"cite"') == 2


def test_emphasis_is_told_from_multiplication() -> None:
    assert [words([node]) for node in named(tree_of("*so* 2*3*4 and *this.*", [], []), "em")] == ["so", "this."]


def test_what_nothing_supports_is_wrapped_to_its_last_word() -> None:
    text = "It is blue. It **costs 9 euros** [1]. It hums."
    nodes = tree_of(text, [Checked(12, text.index(" It hums"), "unsupported")], [1])
    claims = [node for node in named(nodes, "span") if node.get("claim") == "unsupported"]
    assert "".join(words([claim]) for claim in claims) == "It costs 9 euros."


@pytest.mark.parametrize("begun", ["\n``", "\n|", " [1", "\n\n**"])
def test_what_may_become_markup_is_not_shown_yet(begun: str) -> None:
    assert words(tree_of(f"It runs.{begun}", [], [1], unfinished=True)).rstrip() == "It runs."
    assert words(tree_of(f"It runs.{begun}", [], [1])).rstrip() != "It runs.", "once it is finished, it stays"


@given(st.text(alphabet="ab[]12*_`<>#|-\n.! (){}\\~>+中\t", max_size=80), st.booleans())
@settings(deadline=None)
def test_no_character_is_shown_twice_or_made_up(text: str, unfinished: bool) -> None:
    shown = words(tree_of(text, [], [1, 2], unfinished=unfinished))
    at = 0
    for character in shown.replace(" ", "").replace("\n", ""):
        at = text.find(character, at) + 1
        assert at, "in the order in which it is written"


@given(st.text(alphabet="ab[]12*_`<>&#|-\n.! (){}\\~>+中", max_size=80), st.lists(st.integers(0, 90), max_size=4))
@settings(deadline=None)
def test_nothing_but_known_nodes_and_no_verdict_twice(text: str, ends: list[int]) -> None:
    nodes = tree_of(text, [Checked(0, min(end, len(text)), "verified") for end in sorted(ends)], [1, 2])
    assert set(tags(nodes)) <= ALLOWED
    dumped = json.dumps(nodes, ensure_ascii=False)
    assert dumped.count('{"verdict"') <= len(ends)
