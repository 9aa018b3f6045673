"""What tells that the documents answer, and the fitted judgements of it."""

from __future__ import annotations

from rag.answering.certainty import features, judgements
from rag.evidence.selection import select_evidence
from rag.language import language, query_terms
from rag.types import Retrieval
from tests.rag.passages import passage

HERON = "苍鹭分布于河流与湖泊的岸边。它的体长约有九十厘米。"
QUESTION, OTHER = "苍鹭分布在哪里？", "雪豹分布在哪里？"


def seen(question: str, text: str, *, translated: bool = False) -> dict[str, float]:
    rarity = dict.fromkeys(query_terms(question), 4.0)
    found = Retrieval(question, language(question), (passage(text, score=0.9),), rarity, {}, closeness=1.0)
    evidence = select_evidence(question, found.passages, rarity, budget=180)
    return features(found, evidence, translated=translated)


def test_a_chinese_question_is_judged_by_the_words_it_shares_unless_it_was_translated() -> None:
    own, translated = seen(QUESTION, HERON), seen(QUESTION, HERON, translated=True)

    assert own["zh"] == 1
    assert own["coverage_zh"] == own["coverage"] > 0.5
    assert translated["zh"] == translated["coverage_zh"] == 0
    assert translated["coverage"] == own["coverage"]
    english = seen("Where does the heron live?", "The heron lives at rivers.")
    assert english["zh"] == english["coverage_zh"] == 0 < english["coverage"]


def test_a_text_about_another_subject_does_not_answer_in_chinese() -> None:
    fitted = judgements()["model"]
    right, wrong = (fitted.probability({**seen(question, HERON), "gate": 0.35}) for question in (QUESTION, OTHER))

    assert wrong < fitted.threshold <= right
