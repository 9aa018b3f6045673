"""A question to passages: both legs, fused, joined with the catalog, duplicates folded.

The join is what makes a deleted or half-ingested document impossible to find, whatever the indexes still hold.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from rag.errors import InvalidRequestError
from rag.focus import FULL_FOCUS, RIVAL_WORTH, Wanted, focus, rivals
from rag.fusion import Legs, fuse_spaces, lexical_strength
from rag.language import fold, language, only_asks, query_terms
from rag.ports import DenseIndex, LexicalIndex, PassageStore, Reranker
from rag.spaces import NEXT, EmbeddingSpace, EmbeddingSpaces
from rag.types import Hit, Passage, Retrieval, SearchMode

MAX_QUESTION = 8192
# Candidates per leg: fusion gains nothing beyond this on the development sets.
CANDIDATES = 100
# Passages whose sentences are looked at; below that rank the order hardly matters.
FOCUSED = 20
# Searches whose lexical leg may run beside the dense one; more wait their turn.
LEGS = 8

# What a term that only asks weighs beside others of its rarity: northwind's nDCG@10 rises from .894 to .900, that of
# squad2_dev, anthropic_docs and chroma_chunking stays within .001.
ASKING = 0.5

# A collection and the documents of it that a filter leaves, None for all.
Scope = tuple[int, list[str] | None]
# The most that fusion and focus can give together; scores are divided by it.
BEST = 1 + FULL_FOCUS


@dataclass(frozen=True, slots=True)
class _Near:
    """What the dense leg found in the collections of one vector space."""

    space: EmbeddingSpace
    collections: frozenset[int]
    hits: list[Hit]


@dataclass(frozen=True, slots=True)
class _Found:
    """What both legs found; each keyword hit with its collection."""

    dense: list[_Near]
    lexical: list[tuple[int, Hit]]
    rarity: Mapping[str, float]

    @property
    def keywords(self) -> list[Hit]:
        """The keyword hits, best first."""
        return [hit for _, hit in self.lexical]


class Retriever:
    """Hybrid search over collections. Thread-safe."""

    def __init__(
        self,
        spaces: EmbeddingSpaces,
        dense: DenseIndex,
        lexical: LexicalIndex,
        store: PassageStore,
        reranker: Reranker | None = None,
    ) -> None:
        self._spaces = spaces
        self._dense = dense
        self._lexical = lexical
        self._store = store
        self._reranker = reranker
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
            ConflictError: a collection whose embedding model this server cannot load.
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
        found = _Found(dense, lexical, rarity)
        passages, unmeant = self._ranked(query, spoken, found, mode, top_k)
        closeness = max(
            (near.space.profile.closeness([hit.score for hit in near.hits[:NEXT]], spoken) for near in dense),
            default=0.0,
        )
        timings["total_ms"] = _since(started)
        best, beyond = tuple(passages[:top_k]), tuple(passages[top_k:])
        return Retrieval(query, spoken, best, rarity, timings, round(closeness, 4), beyond, unmeant)

    def _scope(self, collection: int, filters: Mapping[str, Any] | None) -> list[str] | None:
        return self._store.filtered_documents(collection, filters) if filters else None

    def _dense_leg(self, query: str, scopes: Sequence[Scope], limit: int, timings: dict[str, float]) -> list[_Near]:
        """The nearest chunks, apart for each vector space, since similarities of two models cannot be compared."""
        grouped: dict[str, tuple[EmbeddingSpace, list[Scope]]] = {}
        for scope in scopes:
            space = self._spaces.of(scope[0])
            grouped.setdefault(space.embedder.model_id, (space, []))[1].append(scope)
        found = []
        for space, within in grouped.values():
            clock = time.perf_counter()
            vector = space.embedder.embed_queries([query])[0]
            timings["embed_ms"] = round(timings["embed_ms"] + _since(clock), 2)
            clock = time.perf_counter()
            hits = _best((self._dense.query(n, vector, limit=limit, documents=only) for n, only in within), limit)
            found.append(_Near(space, frozenset(number for number, _ in within), hits))
            timings["dense_ms"] = round(timings["dense_ms"] + _since(clock), 2)
        return found

    def _lexical_leg(
        self, query: str, scopes: Sequence[Scope], mode: SearchMode, limit: int, timings: dict[str, float]
    ) -> tuple[list[tuple[int, Hit]], dict[str, float]]:
        clock = time.perf_counter()
        hits: list[tuple[int, Hit]] = []
        for number, only in scopes if mode != SearchMode.DENSE else ():
            hits += [(number, hit) for hit in self._lexical.query(number, query, limit=limit, documents=only)]
        hits = sorted(hits, key=lambda item: -item[1].score)[:limit]
        rarity = self._rarity(query, [number for number, _ in scopes])
        timings["lexical_ms"] = _since(clock)
        return hits, rarity

    def _rarity(self, query: str, collections: Sequence[int]) -> dict[str, float]:
        wanted = list(dict.fromkeys(query_terms(query)))
        weights = [self._lexical.rarity(number, wanted) for number in collections]
        rarest = {term: min((found[term] for found in weights), default=0.0) for term in wanted}
        return {term: max(0.1, weight * (ASKING if only_asks(term) else 1.0)) for term, weight in rarest.items()}

    def _ranked(
        self, query: str, spoken: str, found: _Found, mode: SearchMode, top_k: int
    ) -> tuple[list[Passage], frozenset[str]]:
        """The live passages, best first, and the files that are not meant (`Retrieval.unmeant`).

        Fused, looked at more closely where both legs ran, duplicates folded.
        """
        strength = lexical_strength(found.keywords, found.rarity)
        legs = [
            Legs(
                near.hits,
                [hit for number, hit in found.lexical if number in near.collections],
                near.space.profile.weight(spoken, strength),
            )
            for near in found.dense
        ]
        fused = fuse_spaces(legs or [Legs((), found.keywords, 0.0)])[: top_k + FOCUSED]
        wanted = Wanted.of(query) if mode == SearchMode.HYBRID else None
        known = self._store.passages([hit.chunk_id for hit in fused])
        live = [(hit, known[hit.chunk_id]) for hit in fused if hit.chunk_id in known]
        files = {passage.filename for _, passage in live}
        unmeant = rivals(wanted, files, found.rarity) if wanted else frozenset()
        passages = _explained(live, found, wanted, strength, unmeant)
        if self._reranker is not None and mode == SearchMode.HYBRID:
            scores = self._reranker.rerank(query, [passage.text for passage in passages[:FOCUSED]])
            top = [
                replace(passage, score=round(score, 6))
                for passage, score in zip(passages[:FOCUSED], scores, strict=True)
            ]
            passages = sorted(top, key=lambda passage: -passage.score)
        return fold_duplicates(passages), unmeant


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


def _explained(
    live: Sequence[tuple[Hit, Passage]],
    found: _Found,
    wanted: Wanted | None,
    strength: float,
    unmeant: Collection[str],
) -> list[Passage]:
    """The passages with what each leg and the focus gave them, best first.

    Focus looks at words, so it counts as far as the question's words match at all (`strength` 0..1).
    """
    dense = {hit.chunk_id: (rank, hit.score) for near in found.dense for rank, hit in enumerate(near.hits, 1)}
    lexical = {hit.chunk_id: (rank, hit.score) for rank, hit in enumerate(found.keywords, 1)}
    best = BEST if wanted else 1.0
    scored = []
    for place, (hit, passage) in enumerate(live):
        gained = strength * focus(wanted, found.rarity, passage) if wanted and place < FOCUSED else 0.0
        if passage.filename in unmeant:
            gained -= (1 - RIVAL_WORTH) * (hit.score + gained)
        dense_rank, similarity = dense.get(hit.chunk_id, (None, None))
        lexical_rank, weight = lexical.get(hit.chunk_id, (None, None))
        scored.append(
            replace(
                passage,
                score=round((hit.score + gained) / best, 6),
                dense=similarity,
                dense_rank=dense_rank,
                lexical=weight,
                lexical_rank=lexical_rank,
                fused=round(hit.score, 6),
                focus=round(gained, 6),
            )
        )
    return sorted(scored, key=lambda passage: -passage.score)


def _best(lists: Iterable[list[Hit]], limit: int) -> list[Hit]:
    return sorted((hit for hits in lists for hit in hits), key=lambda hit: -hit.score)[:limit]


def _since(clock: float) -> float:
    return round((time.perf_counter() - clock) * 1000, 2)
