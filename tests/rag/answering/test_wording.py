"""The two sentences that decline: each says what is true, in the language of the question."""

from __future__ import annotations

import pytest

from rag.answering.wording import decline
from rag.text.language import language


@pytest.mark.parametrize("spoken", ["en", "zh"])
def test_finding_nothing_and_finding_no_answer_are_two_sentences(spoken: str) -> None:
    nothing, unanswered = decline(spoken, spoken_of=False), decline(spoken, spoken_of=True)

    assert nothing != unanswered
    assert {language(nothing), language(unanswered)} == {spoken}


def test_what_is_said_is_true_of_its_reason() -> None:
    assert "nothing about this" in decline("en", spoken_of=False)
    assert decline("en", spoken_of=True).startswith("The documents speak of this, but")
    assert "没有找到" in decline("zh", spoken_of=False)
    assert decline("zh", spoken_of=True).startswith("文档谈到了")
