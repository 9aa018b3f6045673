"""A text cut into blocks as a reader sees them: nothing torn, nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evidence.blocks import CODE_LINES, WHOLE, BlockKind, split_blocks


def seen(text: str) -> list[tuple[str, str]]:
    return [(str(block.kind), text[block.start : block.end]) for block in split_blocks(text)]


def test_a_page_of_markdown_is_cut_where_a_reader_would() -> None:
    text = (
        "# Pumps\n\nThe pump runs at 40 bar. Its oil\nis changed in March.\n\nTo start it:\n\n```sh\npump start\n\npump log\n```\n\n"
        "- open the valve\n  slowly\n- close it\n\n| part | price |\n|---|---|\n| seal | 4 |\n"
    )

    assert seen(text) == [
        ("heading", "# Pumps"),
        ("prose", "The pump runs at 40 bar. Its oil\nis changed in March."),
        ("prose", "To start it:"),
        ("code", "```sh\npump start\n\npump log\n```"),
        ("item", "- open the valve\n  slowly"),
        ("item", "- close it"),
        ("row", "| part | price |"),
        ("row", "|---|---|"),
        ("row", "| seal | 4 |"),
    ]


def test_indented_code_of_restructured_text_keeps_its_lines() -> None:
    text = "Run it::\n\n    pump start\n        --fast\n\n    pump log\n\nThen wait."

    assert seen(text) == [
        ("prose", "Run it::"),
        ("code", "    pump start\n        --fast\n\n    pump log"),
        ("prose", "Then wait."),
    ]


def test_a_directive_is_one_piece_of_code() -> None:
    text = ".. code-block:: console\n\n   $ pump start\n\nThen wait."

    assert seen(text)[0] == ("code", ".. code-block:: console\n\n   $ pump start")


@pytest.mark.parametrize("fence", ["```", "~~~", "````"])
def test_a_fence_that_nothing_closes_reaches_to_the_end(fence: str) -> None:
    text = f"Look:\n{fence}\na\n\n# b\n- c"

    assert seen(text) == [("prose", "Look:"), ("code", f"{fence}\na\n\n# b\n- c")]


def test_what_announces_a_list_code_or_a_table_is_known() -> None:
    text = "It needs:\n\n- oil\n- air\n\nPlain words.\n\n- more\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    blocks = split_blocks(text)
    leads = {text[b.start : b.end]: b.lead and text[slice(*b.lead)] for b in blocks}

    assert leads["- oil"] == leads["- air"] == "It needs:"
    assert leads["- more"] is None
    assert leads["| 1 | 2 |"] == "| a | b |"


def test_a_long_paragraph_is_cut_between_sentences_and_a_long_listing_between_lines() -> None:
    prose = " ".join(f"Sentence {n} of the manual tells something about pumps." for n in range(30))
    code = "```\n" + "\n".join(f"line {n}" for n in range(2 * CODE_LINES)) + "\n```"
    parts = [prose[b.start : b.end] for b in split_blocks(prose)]
    listing = split_blocks(code)

    assert len(parts) > 2
    assert all(part.startswith("Sentence") and part.endswith(".") and len(part) < 2 * WHOLE for part in parts)
    assert all(block.kind is BlockKind.CODE for block in listing)
    assert max(code[b.start : b.end].count("\n") for b in listing) < CODE_LINES


@given(st.text(alphabet="ab 。.:-*|#`~\n\t1)中文", max_size=200))
def test_no_character_is_lost_or_shown_twice(text: str) -> None:
    last = 0
    for block in split_blocks(text):
        assert last <= block.start < block.end <= len(text)
        assert not text[last : block.start].strip()
        last = block.end
    assert not text[last:].strip()
