"""Request bodies and queries of the REST API, as pydantic models. Unknown fields of a body are refused, by name."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from rag.types import AnswerPolicy, SearchMode

JsonValue = TypeVar("JsonValue")


MAX_METADATA_BYTES = 32 << 10
"""Of a document's metadata as JSON; each member of an archive gets a copy."""

MAX_FILTER_VALUES = 1000


def bounded(metadata: dict[str, Any]) -> dict[str, Any]:
    """Metadata itself. Raises ValueError when it is too much."""
    if len(json.dumps(metadata, ensure_ascii=False).encode()) > MAX_METADATA_BYTES:
        raise ValueError(f"the metadata is larger than {MAX_METADATA_BYTES >> 10} KiB")
    return metadata


def selective(filters: dict[str, Any]) -> dict[str, Any]:
    """Filters themselves. Raises ValueError when they hold too many values."""
    if sum(len(value) if isinstance(value, list) else 1 for value in filters.values()) > MAX_FILTER_VALUES:
        raise ValueError(f"the filters hold more than {MAX_FILTER_VALUES} values")
    return filters


Metadata = Annotated[dict[str, Any], AfterValidator(bounded)]
Filters = Annotated[dict[str, Any], AfterValidator(selective)]


def storable(value: JsonValue) -> JsonValue:
    """The value itself. Raises ValueError unless it is JSON that any reader takes: no NaN, no half surrogate pairs."""
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("a text holds half of a surrogate pair") from error
    return value


MAX_OFFSET = 1 << 40
MAX_MESSAGE = 32_768
MAX_PASSWORD = 1024


class Body(BaseModel):
    """A JSON body: wrong types are errors, not conversions."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        return storable(value)


class NewText(Body):
    """A document given as text."""

    text: str = Field(min_length=1, description="The document's text, read as Markdown.")
    title: str = Field(default="", max_length=200)
    collection: str = "default"
    metadata: Metadata = Field(default_factory=dict)


class NewUrl(Body):
    """A document that the server is to fetch."""

    url: str = Field(min_length=1, max_length=2048, description="http or https, at a host of DOCENT_ALLOW_URLS.")
    collection: str = "default"
    metadata: Metadata = Field(default_factory=dict)
    password: str | None = Field(default=None, max_length=MAX_PASSWORD, description="Opens it if it needs one.")


class RetryBody(Body):
    """How to try documents again."""

    password: str | None = Field(default=None, max_length=MAX_PASSWORD, description="Opens those that need one.")


class DocumentEdit(Body):
    """What of a document may be changed."""

    metadata: Metadata | None = None
    collection: str | None = None


class NewCollection(Body):
    """A collection to create."""

    name: str


class FolderFile(Body):
    """A file of a folder."""

    name: str = Field(min_length=1, max_length=1024)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class FolderBody(Body):
    """What a folder holds."""

    files: list[FolderFile]
    source: str | None = Field(
        default=None, min_length=1, max_length=1024, description="Names the folder: only documents that follow it go."
    )
    keep: list[str] = Field(default_factory=list, description="Names of documents that are left alone.")
    prune: bool = Field(default=False, description="Documents from elsewhere go, too.")


class ReindexBody(Body):
    """How to make a collection's vectors anew."""

    change_model: bool = Field(default=False, description="With the model of new collections instead of its own.")
    change_chunking: bool = Field(default=False, description="Of documents cut anew, as in new collections.")


class SearchBody(Body):
    """A search."""

    query: str
    collections: list[str] = Field(default_factory=lambda: ["default"], min_length=1, max_length=64)
    top_k: int = Field(default=10, ge=1, le=100)
    filters: Filters = Field(default_factory=dict)
    mode: SearchMode = Field(default=SearchMode.HYBRID, strict=False)


class Turn(Body):
    """A message of the conversation before a question."""

    role: Literal["system", "user", "assistant"]
    content: str = Field(max_length=MAX_MESSAGE)


class AskBody(Body):
    """A question."""

    question: str
    messages: list[Turn] = Field(
        default_factory=list,
        max_length=200,
        description="The conversation before the question, oldest first, where the client keeps it; "
        "the question itself may stand last. With conversation_id it comes after what the server remembers.",
    )
    collections: list[str] = Field(default_factory=lambda: ["default"], min_length=1, max_length=64)
    conversation_id: str | None = None
    top_k: int | None = Field(default=None, ge=1, le=100)
    filters: Filters = Field(default_factory=dict)
    stream: bool = False
    rendered: bool = Field(default=False, description="With the answer's Markdown as a tree of nodes.")
    answers: AnswerPolicy | None = Field(
        default=None,
        strict=False,
        description="How much must speak for an answer; DOCENT_ANSWERS where it does not say.",
    )


class FeedbackBody(Body):
    """Feedback on an answer."""

    rating: Literal["up", "down"]
    comment: str | None = Field(default=None, max_length=4000)


class Paging(BaseModel):
    """Which part of a listing."""

    page: int = Field(default=1, ge=1, le=1_000_000)
    limit: int = Field(default=50, ge=1, le=500)


class DocumentQuery(Paging):
    """Which documents."""

    collection: str | None = None
    status: (
        Literal["queued", "parsing", "chunking", "embedding", "indexed", "failed", "cancelled", "active", "trashed"]
        | None
    ) = Field(
        default=None,
        description="`active`: on its way, whatever the step. `trashed`: in the trash; those are listed so only.",
    )
    q: str | None = Field(default=None, description="Part of the file name.")
    sort: str = Field(
        default="-created",
        pattern="^-?(created|updated|name|bytes|pages|chunks|status)$",
        description="created, updated, name, bytes, pages, chunks or status; `-` before it: from high to low.",
    )


class TrashQuery(BaseModel):
    """Which trash."""

    collection: str | None = Field(default=None, description="Of this collection only.")


class ConversationQuery(Paging):
    """Which conversations."""

    q: str | None = Field(default=None, description="Part of the title or of a question.")


class MessagesQuery(BaseModel):
    """How to show a conversation's messages."""

    rendered: bool = Field(default=False, description="With each answer's Markdown as a tree of nodes.")


class ConversationEdit(Body):
    """What of a conversation may be changed."""

    title: str = Field(min_length=1, max_length=255)


class TextQuery(BaseModel):
    """Which characters of a text; half-open."""

    start: int = Field(default=0, ge=0, le=MAX_OFFSET)
    end: int | None = Field(default=None, ge=0, le=MAX_OFFSET)


class DocumentPath(BaseModel):
    """A document's id."""

    document_id: str


class JobPath(BaseModel):
    """A job's id."""

    job_id: str


class CollectionPath(BaseModel):
    """A collection's name."""

    name: str


class ConversationPath(BaseModel):
    """A conversation's id."""

    conversation_id: str


class AnswerPath(BaseModel):
    """An answer's id."""

    answer_id: str
