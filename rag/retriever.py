"""A question to passages: both legs, fused, joined with the catalog, duplicates folded.

The join is what makes a deleted or half-ingested document impossible to find, whatever the indexes still hold.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from rag.errors import InvalidRequestError
from rag.focus import GATHERED_WEIGHT, PAIRS_WEIGHT, focus
from rag.fusion import DENSE_WEIGHTS, fuse
from rag.language import fold, language, query_terms
from rag.ports import DenseIndex, Embedder, LexicalIndex, PassageStore
from rag.types import Hit, Passage, Retrieval, SearchMode

MAX_QUESTION = 8192
# Candidates per leg: fusion gains nothing beyond this on the development sets.
CANDIDATES = 100
# Passages whose sentences are looked at; below that rank the order hardly matters.
FOCUSED = 20
# Searches whose lexical leg may run beside the dense one; more wait their turn.
LEGS = 8

# A collection and the documents of it that a filter leaves, None for all.
Scope = tuple[int, list[str] | None]
# The most that fusion and focus can give together; scores are divided by it.
BEST = 1 + GATHERED_WEIGHT + PAIRS_WEIGHT


class Retriever:
    """Hybrid search over collections. Thread-safe."""

    def __init__(self, embedder: Embedder, dense: DenseIndex, lexical: LexicalIndex, store: PassageStore) -> None:
        self._embedder = embedder
        self._dense = dense
        self._lexical = lexical
        self._store = store
        self._beside = ThreadPoolExecutor(LEGS, thread_name_prefix="lexical")

    def search(
        self,
        query: str,
        *,
        collections: Sequence[str],
        top_k: int,
        mode: SearchMode = SearchMode.HYBRID,
        filters: Mapping[str, Any] | None = None,
    ) -> Retrieval:
        """The `top_k` best passages for a query.

        Raises:
            InvalidRequestError: an empty or overlong query.
            NotFoundError: an unknown collection.
        """
        query = clean_query(query)
        spoken = language(query)
        started = time.perf_counter()
        scopes = [(number, self._scope(number, filters)) for number in self._store.collection_ids(collections)]
        limit = max(CANDIDATES, 2 * top_k)
        timings = {"embed_ms": 0.0, "dense_ms": 0.0, "lexical_ms": 0.0}
        # Both legs at once: the dense one is spent in native code that lets the other run.
        keywords = self._beside.submit(self._lexical_leg, query, scopes, mode, limit, timings)
        dense = self._dense_leg(query, scopes, limit, timings) if mode != SearchMode.LEXICAL else []
        lexical, rarity = keywords.result()
        fused = fuse(dense, lexical, dense_weight=DENSE_WEIGHTS[spoken])
        wanted = query_terms(query) if mode == SearchMode.HYBRID else []
        passages = self._joined(fused[: top_k + FOCUSED], dense, lexical, wanted, rarity)
        timings["total_ms"] = _since(started)
        return Retrieval(query, spoken, tuple(passages[:top_k]), rarity, timings)

    def _scope(self, collection: int, filters: Mapping[str, Any] | None) -> list[str] | None:
        return self._store.filtered_documents(collection, filters) if filters else None

    def _dense_leg(self, query: str, scopes: Sequence[Scope], limit: int, timings: dict[str, float]) -> list[Hit]:
        clock = time.perf_counter()
        vector = self._embedder.embed_queries([query])[0]
        timings["embed_ms"] = _since(clock)
        clock = time.perf_counter()
        hits = _best((self._dense.query(n, vector, limit=limit, documents=only) for n, only in scopes), limit)
        timings["dense_ms"] = _since(clock)
        return hits

    def _lexical_leg(
        self, query: str, scopes: Sequence[Scope], mode: SearchMode, limit: int, timings: dict[str, float]
    ) -> tuple[list[Hit], dict[str, float]]:
        clock = time.perf_counter()
        hits: list[Hit] = []
        if mode != SearchMode.DENSE:
            hits = _best((self._lexical.query(n, query, limit=limit, documents=only) for n, only in scopes), limit)
        rarity = self._rarity(query, [number for number, _ in scopes])
        timings["lexical_ms"] = _since(clock)
        return hits, rarity

    def _rarity(self, query: str, collections: Sequence[int]) -> dict[str, float]:
        wanted = list(dict.fromkeys(query_terms(query)))
        weights = [self._lexical.rarity(number, wanted) for number in collections]
        return {term: max(0.1, min((found[term] for found in weights), default=0.0)) for term in wanted}

    def _joined(
        self,
        fused: Sequence[Hit],
        dense: Sequence[Hit],
        lexical: Sequence[Hit],
        wanted: Sequence[str],
        rarity: Mapping[str, float],
    ) -> list[Passage]:
        """The passages of the hits that are live, scored with their focus where terms are `wanted`, best first."""
        dense_scores = {hit.chunk_id: hit.score for hit in dense}
        lexical_scores = {hit.chunk_id: hit.score for hit in lexical}
        found = self._store.passages([hit.chunk_id for hit in fused])
        best = BEST if wanted else 1.0
        scored = []
        for rank, hit in enumerate(hit for hit in fused if hit.chunk_id in found):
            passage = found[hit.chunk_id]
            looked_at = wanted and rank < FOCUSED
            gained = focus(wanted, rarity, passage.text, passage.heading) if looked_at else 0.0
            scored.append(
                replace(
                    passage,
                    score=round((hit.score + gained) / best, 6),
                    dense=dense_scores.get(hit.chunk_id),
                    lexical=lexical_scores.get(hit.chunk_id),
                )
            )
        return fold_duplicates(sorted(scored, key=lambda passage: -passage.score))


def clean_query(query: str) -> str:
    """The query without NULs, lone surrogates and surrounding white space.

    Raises:
        InvalidRequestError: it is empty or longer than `MAX_QUESTION` characters.
    """
    query = query.replace("\x00", " ").encode(errors="replace").decode().strip()
    if not query:
        raise InvalidRequestError("The question is empty.", code="empty_question")
    if len(query) > MAX_QUESTION:
        raise InvalidRequestError(
            f"The question has {len(query)} characters; at most {MAX_QUESTION} are taken.", code="question_too_long"
        )
    return query


def fold_duplicates(passages: Sequence[Passage]) -> list[Passage]:
    """Passages without those whose text, but for case and spacing, came before."""
    seen: set[str] = set()
    kept = []
    for passage in passages:
        key = " ".join(fold(passage.text).split())
        if key not in seen:
            seen.add(key)
            kept.append(passage)
    return kept


def _best(lists: Iterable[list[Hit]], limit: int) -> list[Hit]:
    return sorted((hit for hits in lists for hit in hits), key=lambda hit: -hit.score)[:limit]


def _since(clock: float) -> float:
    return round((time.perf_counter() - clock) * 1000, 2)
