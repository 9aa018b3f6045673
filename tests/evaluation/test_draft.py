"""What is kept of what a model drafts, and the order in which chunks are tried."""

from __future__ import annotations

import json

import pytest

from evaluation.draft import Said, draft, find, golden_row, parse, sample
from rag.types import Passage
from tests.evaluation.subjects import golden
from tests.fakes import ScriptedChat
from tests.rag.passages import OFFSET, passage

TEXT = "The pump in hall four runs at\n40 bar. It was installed by Nordwind in 1998. Its oil is changed every March."
QUESTION = "When was the pump installed?"


def chunks(*names: str, each: int = 1) -> list[Passage]:
    return [passage(f"{TEXT} Note {number}.", name=name) for name in names for number in range(each)]


def test_the_three_fields_are_read_however_they_are_dressed() -> None:
    assert parse('**QUESTION:** Who?\nanswer: "Nordwind"\n- QUOTE： “It was.” \nQUOTE: later') == Said(
        "Who?", "Nordwind", "It was."
    )
    assert parse("I cannot.") == Said("", "", "")


def test_a_draft_holds_what_the_chunk_bears_out() -> None:
    row = golden_row(passage(TEXT), Said(QUESTION, "1998", "it was installed by  Nordwind in 1998."))

    assert row == {
        "question": QUESTION,
        "answerable": True,
        "relevant": ["d.txt"],
        "answers": ["1998"],
        "spans": [{"file": "d.txt", "start": OFFSET + 38, "end": OFFSET + 75}],
        "draft": True,
    }
    (found,) = golden(json.dumps(row))
    assert found.draft
    assert TEXT[38:75] == "It was installed by Nordwind in 1998."


def test_an_answer_that_does_not_stand_there_is_left_out() -> None:
    row = golden_row(passage(TEXT), Said(QUESTION, "in 1999", "It was installed by Nordwind in 1998."))

    assert row is not None
    assert row["answers"] == []


def test_the_sentence_of_the_answer_stands_in_for_an_invented_quote() -> None:
    row = golden_row(passage(TEXT), Said("At what pressure does it run?", "40 bar", "It runs at 41 bar."))

    assert row is not None
    assert row["answers"] == ["40 bar"]
    span = row["spans"][0]
    assert TEXT[span["start"] - OFFSET : span["end"] - OFFSET] == "The pump in hall four runs at\n40 bar."


@pytest.mark.parametrize(
    "said",
    [
        Said(QUESTION, "1999", "It was installed in 1999."),
        Said("", "1998", TEXT),
        Said("The pump was installed.", "1998", TEXT),
        Said("What does the passage say about pumps?", "1998", TEXT),
        Said("本文提到的压力是多少？", "1998", TEXT),
    ],
)
def test_what_is_not_borne_out_is_no_draft(said: Said) -> None:
    assert golden_row(passage(TEXT), said) is None


def test_strings_are_found_as_words() -> None:
    assert find("a party for art", "art") == (12, 15)
    assert find("共5天。", "5") == (1, 2)
    assert find("runs at\n 40 bar", "AT 40 bar") == (5, 15)
    assert find("x", "  ") is None


def test_pages_are_named() -> None:
    source = Passage("c", "d", "d.pdf", "default", "", 0, len(TEXT), TEXT, 3, 4, None)

    row = golden_row(source, Said(QUESTION, "1998", ""))

    assert row is not None
    assert row["relevant"] == [{"file": "d.pdf", "page": 3, "pages": [3, 4]}]


def test_the_sample_is_the_same_for_a_seed_and_takes_turns() -> None:
    held = [*chunks("a", each=9), *chunks("b", "c"), passage("short", name="z")]

    order = sample(held, seed=3)

    assert sorted(chunk.filename for chunk in order[:3]) == ["a.txt", "b.txt", "c.txt"]
    assert [chunk.filename for chunk in order[3:]] == ["a.txt"] * 8
    assert sample(held, seed=3) == order
    assert sample(held, seed=4) != order


def test_drafting_goes_on_until_there_are_enough_or_chunks_run_out() -> None:
    good = f"QUESTION: {QUESTION}\nANSWER: 1998\nQUOTE: It was installed by Nordwind in 1998."
    chat = ScriptedChat("no idea", good)

    rows = list(draft(chunks("a", "b", "c", "d"), chat, count=2, seed=1))

    assert len(rows) == 2
    assert len(chat.prompts) == 3
    (message,) = chat.prompts[0]
    assert "hall four" in message.content
    assert "$" not in message.content
    assert len(list(draft(chunks("a"), ScriptedChat(good), count=5, seed=1))) == 1
    assert list(draft([], ScriptedChat(good), count=5, seed=1)) == []
