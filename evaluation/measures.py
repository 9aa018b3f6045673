"""One question's measures: what was found, shown, said and cited, against its golden line.

Pure. A measure that does not apply to a question is absent from its row, never 0. Ranking formulas: nDCG with gains
2^grade - 1 (Burges et al. 2005), reciprocal rank of the first relevant unit. docs/evaluation.md defines every figure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Mapping, Sequence

from evaluation.fitting.observations import Found, Place, Reply
from evaluation.golden import GoldenQuestion
from evaluation.matching import coverage, is_at, is_gold, mean_coverage, means_span, pages_of, touches
from rag.text.language import fold, terms

RECALL_AT = (1, 3, 5, 10, 20)
NDCG_AT = (5, 10)
MRR_AT = 10
SPANS_AT = (5, 10)
# Passages looked at, so that there are 20 documents or pages among them even where some come twice.
DEPTH = 50
# A gold answer up to this many characters is expected word for word; a longer one is compared by its terms.
SHORT_ANSWER = 60
# Share of a gold span that must be shown for it to count as shown; the rest may be white space or a full stop.
WHOLE_SPAN = 0.9
_MARK = re.compile(r"\[(\d+)\]")

LOWER_IS_BETTER = frozenset(
    {"false_answer", "false_abstain", "unverified_sentences", "dangling_marks", "llm_unavailable", "errors"}
)
TIMES = ("retrieve_ms", "evidence_ms", "verify_ms", "first_token_ms", "total_ms")
FIGURES = (
    *(f"recall@{k}" for k in RECALL_AT),
    *(f"ndcg@{k}" for k in NDCG_AT),
    f"mrr@{MRR_AT}",
    *(f"span_recall@{k}" for k in SPANS_AT),
    "evidence_recall",
    "evidence_recall_given",
    "evidence_overlap",
    "evidence_overlap_given",
    "evidence_gold_given",
    "accuracy",
    "answer_overlap",
    "false_answer",
    "false_abstain",
    "citation_precision",
    "citation_recall",
    "gold_citation",
    "groundedness",
    "unverified_sentences",
    "exact_quotes",
    "dangling_marks",
    "llm_unavailable",
    "errors",
    *TIMES,
)

Row = dict[str, float]


def lower_is_better(figure: str) -> bool:
    """Whether a smaller value of this figure is the better one."""
    return figure in LOWER_IS_BETTER or figure.endswith("_ms")


def measure_search(question: GoldenQuestion, found: Found, *, top_k: int) -> Row:
    """The measures of retrieval and evidence; all 0..1 but the times."""
    row: Row = {"retrieve_ms": found.retrieve_ms}
    if found.evidence_ms is not None:
        row["evidence_ms"] = found.evidence_ms
    if question.relevant or question.spans:
        row |= ranking_scores(ranking(question, found.passages), grades(question))
    for k in SPANS_AT if question.spans else ():
        row[f"span_recall@{k}"] = mean_coverage(question.spans, found.passages[:k])
    if found.evidence is not None and question.answerable:
        row |= _evidence_scores(question, found.passages[:top_k], found.evidence)
    return row


def measure_reply(question: GoldenQuestion, reply: Reply, text_of: Callable[[str], str]) -> Row:
    """The measures of an answer. `text_of` gives a document's text, for checking quotes."""
    row: Row = {"total_ms": reply.total_ms, "llm_unavailable": float(reply.reason == "llm_unavailable")}
    if reply.first_token_ms is not None:
        row["first_token_ms"] = reply.first_token_ms
    if reply.verify_ms is not None:
        row["verify_ms"] = reply.verify_ms
    numbers = {int(n) for n in _MARK.findall(reply.text)}
    row["dangling_marks"] = float(len(numbers ^ {citation.n for citation in reply.citations}))
    if reply.citations:
        exact = [text_of(c.document_id)[c.start : c.end] == c.text for c in reply.citations]
        row["exact_quotes"] = sum(exact) / len(exact)
    if not question.answerable:
        row["false_answer"] = float(reply.answered)
    else:
        row["false_abstain"] = float(not reply.answered)
        row |= _correctness(question, reply)
    if reply.answered:
        row |= _trust(question, reply)
    return row


def grades(question: GoldenQuestion) -> dict[Hashable, float]:
    """The gold units of a question with their grades: places where it names any, else its spans."""
    if question.relevant:
        return {("gold", i): place.grade for i, place in enumerate(question.relevant)}
    return {("gold", i): 1.0 for i in range(len(question.spans))}


def ranking(question: GoldenQuestion, passages: Sequence[Place]) -> list[Hashable]:
    """The units (documents, pages or spans, as the gold names them) that passages come from, each at its first rank."""
    units: dict[Hashable, None] = {}
    by_page = any(place.pages for place in question.relevant)
    for passage in passages:
        if not question.relevant:
            hits = [i for i, span in enumerate(question.spans) if means_span(passage, span)]
            others: list[Hashable] = [] if hits else [(passage.document_id, passage.start)]
            units |= dict.fromkeys([*(("gold", i) for i in hits), *others])
            continue
        for page in pages_of(passage) if by_page else [None]:
            hits = [i for i, place in enumerate(question.relevant) if is_at(place, passage.filename, page)]
            others = [] if hits else [(passage.filename, page)]
            units |= dict.fromkeys([*(("gold", i) for i in hits), *others])
    return list(units)


def ranking_scores(ranked: Sequence[Hashable], gold: Mapping[Hashable, float]) -> Row:
    """recall@k, ndcg@k and mrr@10 of a ranking of units, each there once."""
    row: Row = {}
    for k in RECALL_AT:
        row[f"recall@{k}"] = len(gold.keys() & set(ranked[:k])) / len(gold)
    for k in NDCG_AT:
        best = sum(_gain(grade, i) for i, grade in enumerate(sorted(gold.values(), reverse=True)[:k]))
        row[f"ndcg@{k}"] = sum(_gain(gold.get(unit, 0.0), i) for i, unit in enumerate(ranked[:k])) / best
    first = next((i for i, unit in enumerate(ranked[:MRR_AT]) if unit in gold), None)
    row[f"mrr@{MRR_AT}"] = 0.0 if first is None else 1 / (first + 1)
    return row


def holds_answer(question: GoldenQuestion, places: Sequence[Place]) -> bool:
    """Whether a gold answer stands word for word in one of the places that are gold, or a gold span stands there.

    Case, white space and commas do not count. Where the gold names no place, any place will do.
    """
    texts = [_bare(place.text) for place in places if is_gold(question, place)]
    if any(_bare(answer) in text for answer in question.answers for text in texts):
        return True
    return any(coverage(span, places) >= WHOLE_SPAN for span in question.spans)


def overlap(gold: Sequence[str], text: str) -> float:
    """Share of the distinct terms (stems, CJK bigrams; no stop words) of the gold answers that the text holds, 0..1."""
    wanted = set(terms(" ".join(gold)))
    return len(wanted & set(terms(text))) / len(wanted) if wanted else 0.0


def is_correct(question: GoldenQuestion, text: str) -> bool:
    """Whether one of each group of answers, or without groups any gold answer, stands in the text; marks, case, white
    space and commas do not count.
    """
    said = _bare(_MARK.sub("", text))
    groups = question.groups or ((question.answers,) if question.answers else ())
    return bool(groups) and all(any(_bare(answer) in said for answer in group) for group in groups)


def has_short_answer(question: GoldenQuestion) -> bool:
    """Whether the answer can be expected word for word."""
    return bool(question.groups) or any(len(answer) <= SHORT_ANSWER for answer in question.answers)


def _evidence_scores(question: GoldenQuestion, passages: Sequence[Place], evidence: Sequence[Place]) -> Row:
    row: Row = {}
    if any(is_gold(question, place) for place in passages):
        row["evidence_gold_given"] = float(any(is_gold(question, place) for place in evidence))
    if not question.answers and not question.spans:
        return row
    shown = float(holds_answer(question, evidence))
    if question.spans or has_short_answer(question):
        row["evidence_recall"] = shown
    if holds_answer(question, passages):
        row["evidence_recall_given"] = shown
    if question.answers and not has_short_answer(question):
        said, read = (_joined(question, places) for places in (evidence, passages))
        row["evidence_overlap"] = overlap(question.answers, "\n".join(place.text for place in evidence))
        if reachable := overlap(question.answers, read):
            row["evidence_overlap_given"] = min(1.0, overlap(question.answers, said) / reachable)
    return row


def _joined(question: GoldenQuestion, places: Sequence[Place]) -> str:
    """The texts of the places that are gold."""
    return "\n".join(place.text for place in places if is_gold(question, place))


def _correctness(question: GoldenQuestion, reply: Reply) -> Row:
    if not question.answers:
        return {}
    if has_short_answer(question):
        return {"accuracy": float(reply.answered and is_correct(question, reply.text))}
    return {"answer_overlap": overlap(question.answers, _MARK.sub("", reply.text)) if reply.answered else 0.0}


def _trust(question: GoldenQuestion, reply: Reply) -> Row:
    """Of an answer that was given: does it cite the gold, and do its sentences hold?"""
    row: Row = {}
    if reply.groundedness is not None:
        row["groundedness"] = reply.groundedness
    if reply.verdicts:
        row["unverified_sentences"] = sum(verdict != "verified" for verdict in reply.verdicts) / len(reply.verdicts)
    if not question.answerable or not (question.relevant or question.spans):
        return row
    if question.spans:
        hit = [any(means_span(citation, span) for span in question.spans) for citation in reply.citations]
        met = [any(means_span(citation, span) for citation in reply.citations) for span in question.spans]
    else:
        hit = [is_gold(question, citation) for citation in reply.citations]
        met = [any(touches(place, citation) for citation in reply.citations) for place in question.relevant]
    row["citation_precision"] = sum(hit) / len(hit) if hit else 0.0
    row["citation_recall"] = sum(met) / len(met)
    row["gold_citation"] = float(any(hit))
    return row


def _gain(grade: float, rank: int) -> float:
    return float((2**grade - 1) / math.log2(rank + 2))


def _bare(text: str) -> str:
    return re.sub(r"[\s,，]+", "", fold(text))
