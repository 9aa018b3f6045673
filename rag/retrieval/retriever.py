"""A question to passages: both legs, reranked by late interaction, joined with the catalog, duplicates folded.

The join is what makes a deleted or half-ingested document impossible to find, whatever the indexes still hold.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from rag.errors import InvalidRequestError
from rag.ports import DenseIndex, LexicalIndex, PassageStore, Reranker, TokenVectorStore
from rag.retrieval import passage_features
from rag.retrieval.embedding_spaces import NEXT, EmbeddingSpace, EmbeddingSpaces
from rag.retrieval.fusion import LEGS, Candidate, Ranker, fitted, preselected, retriever_features
from rag.retrieval.late_interaction import max_similarities
from rag.retrieval.passage_features import Wanted, like_named_files
from rag.text.language import fold, language, only_asks, query_terms
from rag.types import Hit, Passage, Retrieval, SearchMode
from rag.vectors import TokenVectors

MAX_QUESTION = 8192
# Candidates per leg: fusion gains nothing beyond this on the development sets.
CANDIDATES = 100
# Candidates whose token vectors are read, half a megabyte each once they are unpacked.
LOOKED_AT = 60
# Passages told beyond those asked for.
BEYOND = 20
# Searches whose lexical leg may run beside the dense one; more wait their turn.
THREADS = 8

# What a term that only asks weighs beside others of its idf: northwind's nDCG@10 rises from .894 to .900, that of
# squad2_dev, anthropic_docs and chroma_chunking stays within .001.
ASKING = 0.5

# A collection and the documents of it that a filter leaves, None for all.
Scope = tuple[int, list[str] | None]


@dataclass(frozen=True, slots=True)
class _Near:
    """What the dense leg found in the collections of one vector space, and the query's tokens in it."""

    space: EmbeddingSpace
    collections: frozenset[int]
    hits: list[Hit]
    tokens: TokenVectors


@dataclass(frozen=True, slots=True)
class _Found:
    """What both legs found; each keyword hit with its collection."""

    dense: list[_Near]
    lexical: list[tuple[int, Hit]]
    idf: Mapping[str, float]

    def candidates(self) -> list[Candidate]:
        """Each chunk that a leg found, once."""
        found: dict[str, Candidate] = {}
        for place, near in enumerate(self.dense):
            found.update({hit.chunk_id: Candidate(hit.chunk_id, place, cosine=hit.score) for hit in near.hits})
        for number, hit in self.lexical:
            space = next((place for place, near in enumerate(self.dense) if number in near.collections), 0)
            known = found.get(hit.chunk_id, Candidate(hit.chunk_id, space))
            found[hit.chunk_id] = replace(known, bm25=hit.score)
        return list(found.values())


class Retriever:
    """Hybrid search over collections. Thread-safe."""

    def __init__(
        self,
        spaces: EmbeddingSpaces,
        dense: DenseIndex,
        lexical: LexicalIndex,
        store: PassageStore,
        tokens: TokenVectorStore,
        reranker: Reranker | None = None,
        *,
        ranker: Ranker | None = None,
    ) -> None:
        self._spaces = spaces
        self._dense = dense
        self._lexical = lexical
        self._store = store
        self._tokens = tokens
        self._reranker = reranker
        self._ranker = ranker or fitted()
        self._beside = ThreadPoolExecutor(THREADS, thread_name_prefix="lexical")

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
        timings = {"embed_ms": 0.0, "dense_ms": 0.0, "lexical_ms": 0.0, "rerank_ms": 0.0}
        # Both legs at once: the dense one is spent in native code that lets the other run.
        keywords = self._beside.submit(self._search_lexical, query, scopes, mode, limit, timings)
        dense = self._search_dense(query, scopes, limit, timings) if mode != SearchMode.LEXICAL else []
        lexical, idf = keywords.result()
        found = _Found(dense, lexical, idf)
        clock = time.perf_counter()
        ranked = self._ranked(query, found, mode, max(LOOKED_AT, top_k + BEYOND))
        timings["rerank_ms"] = _since(clock)
        similarity = max(
            (near.space.profile.similarity([hit.score for hit in near.hits[:NEXT]], spoken) for near in dense),
            default=0.0,
        )
        timings["total_ms"] = _since(started)
        best, beyond = tuple(ranked.passages[:top_k]), tuple(ranked.passages[top_k : top_k + BEYOND])
        kept = {passage.chunk_id for passage in (*best, *beyond)}
        space = ranked.spaces.get(best[0].chunk_id, 0) if best else 0
        return Retrieval(
            query,
            spoken,
            best,
            idf,
            timings,
            round(similarity, 4),
            beyond,
            ranked.like_named,
            dense[space].tokens if dense else None,
            {own: each for own, each in ranked.tokens.items() if own in kept and ranked.spaces[own] == space},
            dense[space].space.embedder.token_space if dense else "",
        )

    def _scope(self, collection: int, filters: Mapping[str, Any] | None) -> list[str] | None:
        return self._store.filtered_documents(collection, filters) if filters else None

    def _search_dense(self, query: str, scopes: Sequence[Scope], limit: int, timings: dict[str, float]) -> list[_Near]:
        """The nearest chunks, apart for each vector space, since similarities of two models cannot be compared."""
        grouped: dict[str, tuple[EmbeddingSpace, list[Scope]]] = {}
        for scope in scopes:
            space = self._spaces.of(scope[0])
            grouped.setdefault(space.embedder.model_id, (space, []))[1].append(scope)
        found = []
        for space, within in grouped.values():
            clock = time.perf_counter()
            encoded = space.embedder.encode_queries([query])
            vector = encoded.vectors[0]
            timings["embed_ms"] = round(timings["embed_ms"] + _since(clock), 2)
            clock = time.perf_counter()
            hits = _best((self._dense.query(n, vector, limit=limit, documents=only) for n, only in within), limit)
            found.append(_Near(space, frozenset(number for number, _ in within), hits, encoded.tokens[0]))
            timings["dense_ms"] = round(timings["dense_ms"] + _since(clock), 2)
        return found

    def _search_lexical(
        self, query: str, scopes: Sequence[Scope], mode: SearchMode, limit: int, timings: dict[str, float]
    ) -> tuple[list[tuple[int, Hit]], dict[str, float]]:
        clock = time.perf_counter()
        hits: list[tuple[int, Hit]] = []
        for number, only in scopes if mode != SearchMode.DENSE else ():
            hits += [(number, hit) for hit in self._lexical.query(number, query, limit=limit, documents=only)]
        hits = sorted(hits, key=lambda item: -item[1].score)[:limit]
        idf = self._idf(query, [number for number, _ in scopes])
        timings["lexical_ms"] = _since(clock)
        return hits, idf

    def _idf(self, query: str, collections: Sequence[int]) -> dict[str, float]:
        wanted = list(dict.fromkeys(query_terms(query)))
        weights = [self._lexical.idf(number, wanted) for number in collections]
        rarest = {term: min((found[term] for found in weights), default=0.0) for term in wanted}
        return {term: max(0.1, weight * (ASKING if only_asks(term) else 1.0)) for term, weight in rarest.items()}

    def _ranked(self, query: str, found: _Found, mode: SearchMode, limit: int) -> _Ranked:
        """The live passages, best first, duplicates folded."""
        candidates = preselected(found.candidates(), limit)
        known = self._store.passages([each.chunk_id for each in candidates])
        candidates = [each for each in candidates if each.chunk_id in known]
        tokens = self._read_tokens(found, candidates)
        candidates = _with_similarity(found, candidates, tokens)
        wanted = Wanted.of(query) if mode == SearchMode.HYBRID else None
        files = {known[each.chunk_id].filename for each in candidates}
        like_named = like_named_files(wanted, files, found.idf) if wanted else frozenset()
        features = retriever_features(candidates)
        if wanted is not None:
            for each, row in zip(candidates, features, strict=True):
                row |= passage_features.features(wanted, found.idf, known[each.chunk_id], like_named)
        passages = _explained(self._ranker, known, found, candidates, features)
        if self._reranker is not None and mode == SearchMode.HYBRID:
            passages = _reranked(self._reranker, query, passages)
        spaces = {each.chunk_id: each.space for each in candidates}
        return _Ranked(fold_duplicates(passages), like_named, tokens, spaces)

    def _read_tokens(self, found: _Found, candidates: Sequence[Candidate]) -> dict[str, TokenVectors]:
        tokens: dict[str, TokenVectors] = {}
        for place, near in enumerate(found.dense):
            own = [each.chunk_id for each in candidates if each.space == place]
            tokens |= self._tokens.token_vectors(own, near.space.embedder.token_space)
        return tokens


@dataclass(frozen=True, slots=True)
class _Ranked:
    """The passages, the files among them that are not meant, and of each chunk its token vectors and its space."""

    passages: list[Passage]
    like_named: frozenset[str]
    tokens: Mapping[str, TokenVectors]
    spaces: Mapping[str, int]


def _with_similarity(
    found: _Found, candidates: Sequence[Candidate], tokens: Mapping[str, TokenVectors]
) -> list[Candidate]:
    similar: dict[str, float] = {}
    for place, near in enumerate(found.dense):
        own = [each.chunk_id for each in candidates if each.space == place and each.chunk_id in tokens]
        values = max_similarities(near.tokens, [tokens[chunk_id] for chunk_id in own])
        similar |= dict(zip(own, values, strict=True))
    return [replace(each, max_similarity=similar.get(each.chunk_id)) for each in candidates]


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
    ranker: Ranker,
    known: Mapping[str, Passage],
    found: _Found,
    candidates: Sequence[Candidate],
    features: Sequence[Mapping[str, float]],
) -> list[Passage]:
    """The passages with what each leg and their features gave them, best first."""
    dense = {hit.chunk_id: rank for near in found.dense for rank, hit in enumerate(near.hits, 1)}
    lexical = {hit.chunk_id: rank for rank, (_, hit) in enumerate(found.lexical, 1)}
    scored = []
    for each, row in zip(candidates, features, strict=True):
        score, fused = ranker.score(row), ranker.part(row, LEGS)
        scored.append(
            replace(
                known[each.chunk_id],
                score=round(score, 6),
                dense=each.cosine,
                dense_rank=dense.get(each.chunk_id),
                lexical=each.bm25,
                lexical_rank=lexical.get(each.chunk_id),
                max_similarity=None if each.max_similarity is None else round(each.max_similarity, 4),
                fused=round(fused, 6),
                focus=round(score - fused, 6),
            )
        )
    return sorted(scored, key=lambda passage: -passage.score)


def _reranked(reranker: Reranker, query: str, passages: Sequence[Passage]) -> list[Passage]:
    """The best passages in the order of a model that reads them with the question."""
    top = passages[:BEYOND]
    scores = reranker.rerank(query, [passage.text for passage in top])
    judged = [replace(passage, score=round(score, 6)) for passage, score in zip(top, scores, strict=True)]
    return sorted(judged, key=lambda passage: -passage.score)


def _best(lists: Iterable[list[Hit]], limit: int) -> list[Hit]:
    return sorted((hit for hits in lists for hit in hits), key=lambda hit: -hit.score)[:limit]


def _since(clock: float) -> float:
    return round((time.perf_counter() - clock) * 1000, 2)
