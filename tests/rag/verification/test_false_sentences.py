"""False sentences before the real verifier: numbers in the place of others, two sources told together, and the mutations of the suite."""

from __future__ import annotations

import pytest

from rag.types import Verdict
from rag.verification.verifier import Verifier
from tests.rag.passages import evidence
from tests.rag.verification.mutations import mutations, statements

KEPT = (Verdict.VERIFIED, Verdict.CONSISTENT, Verdict.MISATTRIBUTED)
# Of 497 statements, without an embedder: the shares of false sentences that are turned away. Chinese names are the gap (.78).
LEAST = {"number": 0.95, "date": 0.95, "quote": 0.95, "unit": 0.95, "name": 0.85}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("项目在第二阶段开始测试。", "项目在第四阶段开始测试。"),
        ("系统支持两种存储方式。", "系统支持八种存储方式。"),
        ("The plan has three tiers of support.", "The plan has seven tiers of support."),
    ],
)
def test_a_number_in_the_place_of_another_is_wrong(text: str, wrong: str) -> None:
    source = [evidence(1, text)]

    assert Verifier().judge(text, [1], source).verdict is Verdict.VERIFIED
    found = Verifier().judge(wrong, [1], source)
    assert found.verdict is Verdict.UNSUPPORTED
    assert found.missing[0][0] == "number"


def test_a_small_number_may_count_what_a_text_lists() -> None:
    source = [evidence(1, "Bash, Zsh and Fish can be completed by pip.")]

    assert Verifier().judge("Three shells can be completed by pip: Bash, Zsh and Fish.", [1], source).verdict in KEPT


def test_two_sources_say_a_sentence_together() -> None:
    source = [evidence(1, "Annual leave is 15 days."), evidence(2, "Sick leave is 10 days.")]

    found = Verifier().judge("Annual leave is 15 days and sick leave is 10 days.", [1, 2], source)
    swapped = Verifier().judge("Annual leave is 10 days and sick leave is 15 days.", [1, 2], source)

    assert found.verdict in KEPT
    assert {span.evidence.n for span in found.spans} == {1, 2}
    assert swapped.verdict is Verdict.UNSUPPORTED


def test_false_sentences_made_of_true_ones_are_turned_away() -> None:
    verifier, true = Verifier(), statements()

    def kept(sentence: str, span: str, context: str) -> bool:
        source = evidence(1, span, heading=context, name="d1")
        return verifier.judge(sentence, [1], [source]).verdict in (Verdict.VERIFIED, Verdict.CONSISTENT)

    alarms = sum(not kept(each.sentence, each.span, each.context) for each in true)
    made = [each for each in mutations(true) if each.kind in LEAST]
    for kind, least in LEAST.items():
        flagged = [not kept(each.sentence, each.span, each.context) for each in made if each.kind == kind]
        print(kind, round(sum(flagged) / len(flagged), 3), len(flagged))
        assert sum(flagged) >= least * len(flagged), kind
    assert alarms <= 0.05 * len(true)
