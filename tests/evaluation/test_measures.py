"""Every measure on values computed by hand."""

from __future__ import annotations

import math

import pytest

from evaluation.fitting.observations import Found
from evaluation.golden import GoldPlace
from evaluation.measures import (
    FIGURES,
    lower_is_better,
    measure_reply,
    measure_search,
    overlap,
    ranking,
    ranking_scores,
)
from tests.evaluation.subjects import place, places, question, reply, span

TEXT = "The pump runs at 40 bar since 1998."


def text_of(_document: str) -> str:
    return TEXT


def test_a_ranking_of_documents_has_each_once() -> None:
    asked = question(relevant=places("a.md", "c.md"))
    found = [place("b.md"), place("b.md", 10, 20), place("a.md"), place("c.md")]

    row = ranking_scores(ranking(asked, found), {("gold", 0): 1.0, ("gold", 1): 1.0})

    # b, a, c: the gold at ranks 2 and 3
    assert row["recall@1"] == 0
    assert row["recall@3"] == 1
    ideal = 1 / math.log2(2) + 1 / math.log2(3)
    assert row["ndcg@10"] == pytest.approx((1 / math.log2(3) + 1 / math.log2(4)) / ideal)
    assert row["mrr@10"] == 0.5


def test_grades_weigh_in_ndcg() -> None:
    row = ranking_scores(["low", "high"], {"low": 1.0, "high": 2.0})

    assert row["ndcg@5"] == pytest.approx((1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3)))


def test_nothing_found_is_zero() -> None:
    row = ranking_scores([], {"gold": 1.0})

    assert set(row.values()) == {0.0}


def test_any_of_a_place_s_pages_will_do_and_counts_once() -> None:
    asked = question(relevant=(GoldPlace("a.pdf", (7, 8)),))
    found = [place("a.pdf", page=5, page_end=6), place("a.pdf", page=7, page_end=8), place("b.pdf", page=7)]

    assert ranking(asked, found) == [("a.pdf", 5), ("a.pdf", 6), ("gold", 0), ("b.pdf", 7)]


def test_spans_rank_where_no_place_is_named() -> None:
    asked = question(spans=(span("a.md", 100, 200), span("a.md", 300, 310)))
    found = [place("a.md", 0, 100), place("a.md", 150, 400), place("b.md", 100, 200)]

    # half of the first span and all of the second are in the second passage
    assert ranking(asked, found) == [("id of a.md", 0), ("gold", 0), ("gold", 1), ("id of b.md", 100)]
    row = measure_search(asked, Found(tuple(found), 3.0), top_k=2)
    assert row["span_recall@5"] == pytest.approx((0.5 + 1.0) / 2)
    assert row["retrieve_ms"] == 3.0
    assert "evidence_recall" not in row


@pytest.mark.parametrize(
    ("evidence", "recall", "given"),
    [
        ((place("a.md", text="it is 1,000 M"),), 1.0, 1.0),
        ((place("a.md", text="it is long"),), 0.0, 0.0),
        ((place("b.md", text="it is 1000 m"),), 0.0, 0.0),  # the right words in the wrong document
    ],
)
def test_evidence_recall_by_answer(evidence: tuple[object, ...], recall: float, given: float) -> None:
    asked = question(relevant=places("a.md"), answers=("1000 m",))
    passages = (place("a.md", text="Walk on, it is 1,000 m."),)

    row = measure_search(asked, Found(passages, 1.0, evidence, 2.0), top_k=1)  # type: ignore[arg-type]

    assert (row["evidence_recall"], row["evidence_recall_given"]) == (recall, given)
    assert row["evidence_ms"] == 2.0


def test_evidence_recall_given_is_silent_where_the_passage_was_missed() -> None:
    asked = question(relevant=places("a.md"), answers=("1000 m",))
    passages = (place("b.md", text="else"), place("a.md", text="it is 1000 m"))

    row = measure_search(asked, Found(passages, 1.0, (place("b.md", text="else"),)), top_k=1)

    assert row["evidence_recall"] == 0
    assert "evidence_recall_given" not in row


def test_evidence_recall_by_span_joins_runs() -> None:
    asked = question(spans=(span("a.md", 0, 100),))
    passages = (place("a.md", 0, 200),)

    def shown(*runs: tuple[int, int]) -> float:
        evidence = tuple(place("a.md", start, end) for start, end in runs)
        return measure_search(asked, Found(passages, 1.0, evidence), top_k=1)["evidence_recall_given"]

    assert shown((0, 50), (51, 120)) == 1.0
    assert shown((0, 50), (61, 100)) == 0.0


def test_long_gold_answers_are_compared_by_terms() -> None:
    gold = "The annual deductible of the standard plan is paid before any coverage starts."
    asked = question(relevant=places("a.md"), answers=(gold,))
    passages = (place("a.md", text="The annual deductible of the plan."), place("b.md", text="standard coverage"))

    row = measure_search(asked, Found(passages, 1.0, (place("a.md", text="The deductible plan"),)), top_k=2)

    assert "evidence_recall" not in row
    # annual deductible standard plan paid coverage starts: the passage holds three of its terms, the evidence two
    assert row["evidence_overlap_given"] == pytest.approx(2 / 3)
    assert row["evidence_overlap"] == pytest.approx(2 / 3 * overlap([gold], passages[0].text))


def test_evidence_from_a_gold_place_counts_where_one_was_retrieved() -> None:
    asked = question(relevant=places("a.md"))
    here, there = place("a.md", text="here"), place("b.md", text="there")

    def given(passages: tuple[object, ...], evidence: tuple[object, ...]) -> float | None:
        return measure_search(asked, Found(passages, 1.0, evidence), top_k=2).get("evidence_gold_given")  # type: ignore[arg-type]

    assert given((here, there), (here,)) == 1.0
    assert given((here, there), (there,)) == 0.0
    assert given((there,), (there,)) is None


def test_unanswerable_questions_have_no_retrieval_figures() -> None:
    row = measure_search(question(answerable=False), Found((place("a.md"),), 1.0, ()), top_k=1)

    assert row.keys() == {"retrieve_ms"}


def test_citations_of_documents() -> None:
    asked = question(relevant=places("a.md", "c.md"), answers=("40",))
    given = reply(
        "At 4,0 bar [1][2].",
        citations=(place("a.md", 0, 8, TEXT[:8], n=1), place("b.md", 0, 8, "The pomp", n=2)),
        verdicts=("verified", "unsupported", "verified", "uncited"),
        groundedness=0.5,
    )

    row = measure_reply(asked, given, text_of)

    assert row["citation_precision"] == 0.5
    assert row["citation_recall"] == 0.5
    assert row["gold_citation"] == 1
    assert row["exact_quotes"] == 0.5
    assert row["groundedness"] == 0.5
    assert row["unverified_sentences"] == 0.5
    assert row["accuracy"] == 1
    assert row["false_abstain"] == 0
    assert row["dangling_marks"] == 0
    assert (row["first_token_ms"], row["total_ms"]) == (5.0, 10.0)


def test_citations_of_pages() -> None:
    asked = question(relevant=(GoldPlace("a.pdf", (2,)), GoldPlace("a.pdf", (9,))))
    cited = (place("a.pdf", page=1, page_end=2, n=1), place("a.pdf", page=4, n=2), place("b.pdf", page=2, n=3))

    row = measure_reply(asked, reply("Yes [1][2][3].", citations=cited), text_of)

    assert row["citation_precision"] == pytest.approx(1 / 3)
    assert row["citation_recall"] == 0.5


def test_citations_of_spans() -> None:
    asked = question(relevant=places("a.md"), spans=(span("a.md", 0, 10), span("a.md", 50, 60)))
    cited = (place("a.md", 5, 30, n=1), place("a.md", 56, 90, n=2))

    row = measure_reply(asked, reply("Yes [1][2].", citations=cited), text_of)

    assert row["citation_precision"] == 0.5  # the second shares four characters of ten
    assert row["citation_recall"] == 0.5


def test_an_answer_without_citations_has_no_precision_but_a_zero() -> None:
    row = measure_reply(question(relevant=places("a.md")), reply(), text_of)

    assert (row["citation_precision"], row["citation_recall"], row["gold_citation"]) == (0, 0, 0)
    assert "exact_quotes" not in row


def test_abstention_both_ways() -> None:
    no, yes = question(answerable=False), question(answers=("40",))
    silent = reply("The documents do not answer.", answered=False)

    assert measure_reply(no, reply(), text_of)["false_answer"] == 1
    assert measure_reply(no, silent, text_of)["false_answer"] == 0
    assert "false_abstain" not in measure_reply(no, silent, text_of)
    row = measure_reply(yes, silent, text_of)
    assert (row["false_abstain"], row["accuracy"]) == (1, 0)
    assert "citation_precision" not in row


def test_a_mark_is_no_part_of_the_answer() -> None:
    assert measure_reply(question(answers=("1",)), reply("The pump [1]."), text_of)["accuracy"] == 0
    row = measure_reply(question(answers=("pump",)), reply("The pump [1].", citations=(place("a", n=2),)), text_of)
    assert row["dangling_marks"] == 2


def test_a_long_answer_is_measured_by_its_terms() -> None:
    gold = "Employees may carry over five days of unused vacation into the following year."

    row = measure_reply(question(answers=(gold,)), reply("Employees carry five days."), text_of)

    assert "accuracy" not in row
    assert row["answer_overlap"] == overlap([gold], "Employees carry five days.") > 0.3


def test_quotes_instead_of_a_model_are_told() -> None:
    assert measure_reply(question(), reply(reason="llm_unavailable"), text_of)["llm_unavailable"] == 1


def test_overlap_of_chinese_is_by_pairs_of_characters() -> None:
    assert overlap(["水泵压力"], "水泵") == pytest.approx(1 / 3)
    assert overlap([""], "any") == 0


def test_directions() -> None:
    assert lower_is_better("false_answer")
    assert lower_is_better("total_ms")
    assert not lower_is_better("ndcg@10")
    assert len(set(FIGURES)) == len(FIGURES)
