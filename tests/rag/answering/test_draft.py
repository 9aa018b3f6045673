"""A model's Markdown as it streams: what is shown, and the parts that are checked, however the pieces are cut."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.answering.citations import MarkedText
from rag.answering.draft import Draft

ANSWER = (
    "Run this first [1]:\n\n```bash\npip install -e .[2]\nls  # [3]\n```\n\nThen use `rows[1]` as it says [2]. Steps:\n"
    "1. Open it. [1]\n2. Close `a[0]` [2]\n\n| a | b |\n|---|---|\n| 1 | 2 [1] |\n"
)


def followed(text: str, size: int) -> tuple[str, list[MarkedText]]:
    draft = Draft()
    found = [part for at in range(0, len(text), size) for part in draft.feed(text[at : at + size])]
    found += draft.finish()
    return "".join(part for part in found if isinstance(part, str)), [p for p in found if isinstance(p, MarkedText)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_marks_go_and_code_stays_whole(size: int) -> None:
    shown, parts = followed(ANSWER, size)

    assert "```bash\npip install -e .[2]\nls  # [3]\n```\n" in shown
    assert "`rows[1]`" in shown
    assert "[2]." not in shown
    assert [(part.text.strip(), part.marks) for part in parts] == [
        ("Run this first:", (1,)),
        ("```bash\npip install -e .[2]\nls  # [3]\n```", ()),
        ("Then use `rows[1]` as it says.", (2,)),
        ("Steps:", ()),
        ("1. Open it.", (1,)),
        ("2. Close `a[0]`", (2,)),
        ("| a | b |", ()),
        ("|---|---|", ()),
        ("| 1 | 2 |", (1,)),
    ]
    assert "".join(part.text for part in parts).split() == shown.split()


def test_code_that_nothing_closes_is_a_part_all_the_same() -> None:
    shown, parts = followed("Do:\n```\nrm -r x", 4)

    assert shown == "Do:\n```\nrm -r x"
    assert parts[-1].text.strip() == "```\nrm -r x"


def test_code_is_shown_line_by_line_before_it_ends() -> None:
    draft = Draft()
    shown = [part for part in draft.feed("```\none\ntwo\nthr") if isinstance(part, str)]

    assert "".join(shown) == "```\none\ntwo\n"


@example("1```\n", 1)
@example("a\n```\nb\n```\nc```\n", 2)
@given(st.text(alphabet="ab.[12] `\n~-|。", max_size=80), st.integers(1, 9))
def test_how_the_pieces_are_cut_does_not_matter(text: str, size: int) -> None:
    shown, parts = followed(text, size)
    whole, all_parts = followed(text, max(1, len(text)))

    assert shown.split() == whole.split()
    assert [(p.text.split(), p.marks) for p in parts] == [(p.text.split(), p.marks) for p in all_parts]
