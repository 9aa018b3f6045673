"""The two sentences that decline: each says what is true, in the language of the question."""

from __future__ import annotations

import pytest

from rag.answering.wording import decline
from rag.language import language
from rag.types import Abstention


@pytest.mark.parametrize("spoken", ["en", "zh"])
def test_finding_nothing_and_finding_no_answer_are_two_sentences(spoken: str) -> None:
    nothing, unanswered = decline(Abstention.NO_EVIDENCE, spoken), decline(Abstention.UNSUPPORTED, spoken)

    assert nothing != unanswered
    assert {language(nothing), language(unanswered)} == {spoken}


def test_what_is_said_is_true_of_its_reason() -> None:
    assert "nothing about this" in decline(Abstention.NO_EVIDENCE, "en")
    assert decline(Abstention.UNSUPPORTED, "en").startswith("The documents speak of this, but")
    assert "没有找到" in decline(Abstention.NO_EVIDENCE, "zh")
    assert decline(Abstention.UNSUPPORTED, "zh").startswith("文档谈到了")
