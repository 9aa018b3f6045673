"""Rows to fit the ranker on, made of golden questions: the candidates of a search with what the ranker sees of them.

It is given its parts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from evaluation.fitting.observations import Place
from evaluation.golden import GoldenQuestion
from evaluation.local import Searcher
from evaluation.matching import is_gold, means_span
from rag.retrieval.fusion import Candidate, retriever_features
from rag.retrieval.passage_features import Wanted, features
from rag.types import Passage, Retrieval

# As many as the retriever looks at closely.
DEPTH = 60
# Characters, without white space, of the beginning or the end of a quotation that a passage must hold.
QUOTED = 50


def ranking_rows(
    questions: Sequence[GoldenQuestion], searcher: Searcher, *, collection: str, name: str
) -> Iterator[dict[str, Any]]:
    """A row for each question that has an answer, in order; `name` is the set that they belong to."""
    for question in questions:
        if question.answerable:
            found = searcher.search(question.question, collections=[collection], top_k=DEPTH)
            yield {"set": name, "candidates": _candidates(question, found)}


def _candidates(question: GoldenQuestion, found: Retrieval) -> list[dict[str, Any]]:
    wanted = Wanted.of(found.query)
    legs = retriever_features(
        [Candidate(each.chunk_id, 0, each.dense, each.lexical, each.max_similarity) for each in found.passages]
    )
    return [
        {
            "holds": holds(question, passage),
            "features": {
                feature: round(value, 4)
                for feature, value in (row | features(wanted, found.idf, passage, found.like_named)).items()
            },
        }
        for passage, row in zip(found.passages, legs, strict=True)
    ]


def holds(question: GoldenQuestion, passage: Passage) -> bool:
    """Whether a passage has the beginning or the end of a quoted piece of evidence; without any, whether it is where
    the gold says.
    """
    if question.evidence:
        text = _squeezed(passage.text)
        quotes = [_squeezed(quote) for quote in question.evidence]
        return any(end in text for quote in quotes for end in (quote[:QUOTED], quote[-QUOTED:]))
    place = Place(
        passage.document_id,
        passage.filename,
        passage.char_start,
        passage.char_end,
        passage.text,
        passage.page,
        passage.page_end,
    )
    if question.spans:
        return any(means_span(place, span) for span in question.spans)
    return is_gold(question, place)


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
