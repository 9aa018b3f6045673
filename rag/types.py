"""The values that travel between the rooms.

Owns the frozen dataclasses of the domain. Holds no behaviour beyond derived values, and imports the standard
library only. Offsets everywhere are Unicode code points, half-open, into the document's normalised text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.vectors import TokenVectors


class DocumentStatus(StrEnum):
    """States of a document; `UNCHANGED` is only ever an outcome of an upload, never stored.

    `TRASHED`: in the trash, which is as good as gone for everything but the trash itself.
    """

    QUEUED = "queued"
    PARSING = "parsing"
    CHUNKING = "chunking"
    EMBEDDING = "embedding"
    INDEXED = "indexed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TRASHED = "trashed"
    UNCHANGED = "unchanged"

    @property
    def terminal(self) -> bool:
        """Whether the document will not move again by itself."""
        return self in (self.INDEXED, self.FAILED, self.CANCELLED, self.TRASHED, self.UNCHANGED)


class JobStatus(StrEnum):
    """States of an upload job, derived from the states of its documents."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SearchMode(StrEnum):
    """Which legs of retrieval to run."""

    HYBRID = "hybrid"
    DENSE = "dense"
    LEXICAL = "lexical"


class Verdict(StrEnum):
    """What the server found when it checked a sentence against the spans it cites.

    `VERIFIED`: a span says it. `CONSISTENT`: each number, date, name, quotation and piece of code of it stands in the spans and
    nothing there contradicts it, but its wording is no proof. `MISATTRIBUTED`: another span than the one it named says it.
    `UNSUPPORTED`: a fact of it stands nowhere, it is contradicted, or it is about something else. `UNCITED`: it named no span, and
    none was found.
    """

    VERIFIED = "verified"
    CONSISTENT = "consistent"
    MISATTRIBUTED = "misattributed"
    UNSUPPORTED = "unsupported"
    UNCITED = "uncited"


class CheckedBy(StrEnum):
    """What a verdict rests on: the words and facts of the text, or a model of entailment."""

    TEXT = "text"
    MODEL = "model"


class Certainty(StrEnum):
    """How sure an answer is: of those that are `HIGH` nine of ten are right; of `LOW` ones less is known."""

    HIGH = "high"
    LOW = "low"


class AnswerPolicy(StrEnum):
    """How much must speak for an answer before it is given.

    `STRICT`: only what is certain and verified. `BALANCED`: what the evidence answers, with its certainty. `OPEN`: also what could not be
    supported, marked as such.
    """

    STRICT = "strict"
    BALANCED = "balanced"
    OPEN = "open"


class Abstention(StrEnum):
    """Why an answer is not an answer (`Answer.reason`)."""

    NO_EVIDENCE = "no_evidence"
    UNSUPPORTED = "unsupported"
    LLM_UNAVAILABLE = "llm_unavailable"


@dataclass(frozen=True, slots=True)
class PageSpan:
    """The part of a document's text that stands on one page. `number` is 1-based."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading at `start` in the text; it rules until the next heading of the same or a higher level.

    `level` is 1 (document title) to 6.
    """

    level: int
    title: str
    start: int


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """What a reader makes of a file: one normalised text and the positions of its structure.

    `pages` is empty for formats without pages; otherwise sorted and non-overlapping. `headings` is sorted by
    `start`. `warnings` say what could not be read.
    """

    text: str
    pages: tuple[PageSpan, ...] = ()
    headings: tuple[Heading, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A retrievable span: `document_text[start:end] == text`, always.

    `heading` is the path of headings that rule at `start`, joined by " > ", or None.
    """

    ordinal: int
    start: int
    end: int
    text: str
    page: int | None = None
    page_end: int | None = None
    heading: str | None = None

    @property
    def embedding_text(self) -> str:
        """The text that is embedded: heading path first, which gives the passage its context."""
        return f"{self.heading}\n{self.text}" if self.heading else self.text

    @property
    def text_begins(self) -> int:
        """Where the chunk's own text begins in `embedding_text`, in characters."""
        return len(self.heading) + 1 if self.heading else 0


@dataclass(frozen=True, slots=True)
class Collection:
    """A named set of documents that share one embedding model and one way of being cut (`rag.chunking_config`). `id` also names its
    two indexes.
    """

    id: int
    name: str
    embedding_model: str
    created_at: datetime
    documents: int = 0
    chunks: int = 0
    recipe: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One uploaded file and what became of it. `progress_*` count chunks while embedding."""

    id: str
    filename: str
    collection: str
    media_type: str
    bytes: int
    sha256: str
    status: DocumentStatus
    created_at: datetime
    updated_at: datetime
    progress_done: int = 0
    progress_total: int = 0
    error_code: str | None = None
    error_message: str | None = None
    warnings: tuple[str, ...] = ()
    pages: int | None = None
    chunks: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """An upload: its documents in the order they came. `rate` is in documents a second; it and `eta_seconds` are None
    where they cannot be told.
    """

    id: str
    status: JobStatus
    done: int
    total: int
    documents: tuple[Document, ...]
    created_at: datetime
    rate: float | None = None
    eta_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One result of one retrieval leg. Higher scores are better; scales differ by leg."""

    chunk_id: str
    score: float


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk as retrieved, joined with the catalog. `score` 0..1, higher is better.

    `dense` is cosine similarity (-1..1) and `lexical` a BM25 score (0 upwards); None where the leg missed it, and so are
    the ranks in each leg, 1 upwards. `max_similarity` -1..1 is that of its token vectors, None where it has none. `fused` is what the
    legs give of `score`, `focus` what headings and file name add; it is below 0 for a document that the question does not mean.
    """

    chunk_id: str
    document_id: str
    filename: str
    collection: str
    content_sha256: str
    char_start: int
    char_end: int
    text: str
    page: int | None
    page_end: int | None
    heading: str | None
    score: float = 0.0
    dense: float | None = None
    lexical: float | None = None
    dense_rank: int | None = None
    lexical_rank: int | None = None
    fused: float = 0.0
    focus: float = 0.0
    max_similarity: float | None = None

    def between(self, start: int, end: int) -> str:
        """The text at document offsets [start, end), which lie inside the passage."""
        return self.text[start - self.char_start : end - self.char_start]


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Passages, best first, with what each stage cost in milliseconds.

    `idf` is the weight of each of the query's terms: its inverse document frequency where it was searched.
    `similarity` 0..1: the best cosine on its embedder's own scale from unrelated to related. `beyond`: the next passages,
    up to twenty, which tell what else there is. `like_named`: names of files among these that the query does not mean, since
    it names another one that is called alike (`rag.retrieval.passage_features.like_named_files`). `query_tokens` are the vectors of the query's
    tokens, and `tokens` those of the passages by chunk id (`rag.ports.TokenVectorStore`), of the vector space of the best passage
    (`token_space`); passages of other spaces, and of chunks without such vectors, are absent.
    """

    query: str
    language: str
    passages: tuple[Passage, ...]
    idf: Mapping[str, float]
    timings: Mapping[str, float]
    similarity: float = 0.0
    beyond: tuple[Passage, ...] = ()
    like_named: frozenset[str] = frozenset()
    query_tokens: TokenVectors | None = None
    tokens: Mapping[str, TokenVectors] = field(default_factory=dict)
    token_space: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A passage with its neighbours under the same heading, as one.

    `found` is the passage as it was found, `passage` the same one widened: its text is the document's at its offsets. `chunks` are the ids
    of the chunks it is made of, each with where it begins in the document.
    """

    found: Passage
    passage: Passage
    chunks: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A run of blocks of one section, as it stands in the document, numbered for the model. Offsets are document offsets.

    `score` 0..1: how likely it holds the answer, which its block `best` (start, end) is likeliest to. `header` is the header row of the
    table, or the lead-in of the list, that it is from.
    """

    n: int
    passage: Passage
    start: int
    end: int
    text: str
    score: float
    header: str = ""
    best: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of the document, inside the passage of an evidence: what a sentence rests on."""

    evidence: Evidence
    start: int
    end: int

    @property
    def text(self) -> str:
        """The characters."""
        return self.evidence.passage.between(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Citation:
    """Proof of a sentence: `document_text[char_start:char_end] == quote`."""

    n: int
    document_id: str
    filename: str
    page: int | None
    page_end: int | None
    char_start: int
    char_end: int
    quote: str
    content_sha256: str
    score: float


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """A sentence of the answer at `answer[start:end]`, the citations it carries and the server's verdict.

    `missing` names what the cited spans do not hold, as (kind, text), where the verdict is `unsupported` or `uncited`. `checked_by` is
    what the verdict rests on; None where nothing was there to check.
    """

    text: str
    start: int
    end: int
    citations: tuple[int, ...]
    verdict: Verdict
    missing: tuple[tuple[str, str], ...] = ()
    checked_by: CheckedBy | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens the chat model read and wrote for one answer."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation. `role` is "system", "user" or "assistant"."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole result of a question.

    `groundedness`: share of the sentences written, dropped ones included, that their sources support, 0..1. `dropped`
    are the sentences that did not stand up and left the answer. `confidence` 0..1: how likely the documents answer.
    `searched` is the query that found the passages, where it is not the standalone question (a translation). `certainty` is None
    where nothing is answered; `features` are what it was judged by, for the `kind` of model that answered.
    """

    id: str
    question: str
    standalone_question: str
    answer: str
    answered: bool
    reason: Abstention | None
    citations: tuple[Citation, ...]
    sentences: tuple[AnswerSentence, ...]
    groundedness: float | None
    retrieved: tuple[Passage, ...]
    nearest: tuple[Passage, ...]
    conversation_id: str | None
    model: str
    prompt_version: str
    usage: Usage
    timings: Mapping[str, float]
    dropped: tuple[AnswerSentence, ...] = ()
    confidence: float = 0.0
    searched: str | None = None
    certainty: Certainty | None = None
    kind: str = ""
    features: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChatDelta:
    """A piece of a streamed completion; the last one may carry the usage.

    `alternatives` are the likeliest tokens at this place with their natural log probabilities, where the server tells.
    """

    text: str
    usage: Usage | None = None
    alternatives: Mapping[str, float] = field(default_factory=dict)


PageList = Sequence[PageSpan]
