"""False sentences before the real verifier: numbers in the place of others, two sources told together, and the mutations of the suite."""

from __future__ import annotations

import pytest

from rag.types import Verdict
from rag.verification.verifier import Verifier
from tests.rag.passages import evidence
from tests.rag.verification.mutations import PARAPHRASES, mutations, paraphrases, statements

KEPT = (Verdict.VERIFIED, Verdict.CONSISTENT, Verdict.MISATTRIBUTED)
# Of 497 statements, without an embedder: the least shares of false sentences that are turned away. Chinese names are the gap (.78); what
# text alone does not tell is far lower, and held where it is: "only" put in, cause for effect, who did it to whom. Those are `consistent`.
LEAST = {"number": 0.95, "date": 0.95, "quote": 0.95, "unit": 0.95, "name": 0.85}
LEAST |= {"comparative": 0.85, "negation": 0.87, "lacks": 0.5, "roles": 0.15, "only": 0.02, "cause": 0.0}
# The most of them that may be called verified.
VERIFIED = 0.04


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

    def judged(sentence: str, span: str, context: str) -> Verdict:
        return verifier.judge(sentence, [1], [evidence(1, span, heading=context, name="d1")]).verdict

    alarms = sum(judged(each.sentence, each.span, each.context) not in KEPT for each in true)
    made = [each for each in mutations(true) if each.kind in LEAST]
    for kind, least in LEAST.items():
        found = [judged(each.sentence, each.span, each.context) for each in made if each.kind == kind]
        flagged, verified = sum(each not in KEPT for each in found), found.count(Verdict.VERIFIED)
        print(f"{kind}: {flagged / len(found):.3f} of {len(found)} turned away, {verified} verified")
        assert flagged >= least * len(found), kind
        assert verified <= VERIFIED * len(found), kind
    assert alarms <= 0.01 * len(true)


def test_another_form_of_a_true_sentence_is_kept() -> None:
    verifier = Verifier()
    made = paraphrases(statements())

    for kind in PARAPHRASES:
        own = [each for each in made if each.kind == kind]
        kept = sum(
            verifier.judge(each.sentence, [1], [evidence(1, each.span, heading=each.context, name="d1")]).verdict
            in (Verdict.VERIFIED, Verdict.CONSISTENT)
            for each in own
        )
        print(kind, round(kept / len(own), 3), len(own))
        assert kept >= 0.95 * len(own), kind
