"""Request bodies of the OpenAI-compatible endpoint. Unknown parameters are tolerated, as clients send many."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rag.types import AnswerPolicy


class Tolerant(BaseModel):
    """A body of which only the known fields are read."""

    model_config = ConfigDict(extra="ignore")


class ChatMessage(Tolerant):
    """One message; `content` is a text or a list of parts of which the texts are read."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] | None = None

    @property
    def text(self) -> str:
        """The message's text."""
        if isinstance(self.content, list):
            return "\n".join(str(part.get("text", "")) for part in self.content if part.get("type") == "text")
        return self.content or ""


class StreamOptions(Tolerant):
    """What a stream should hold beside the text."""

    include_usage: bool = False


class ChatBody(Tolerant):
    """A chat completion."""

    model: str = "docent"
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions = Field(default_factory=StreamOptions)
    answers: AnswerPolicy | None = Field(
        default=None,
        description="Docent's own: how much must speak for an answer; DOCENT_ANSWERS where it does not say.",
    )


class EmbeddingsBody(Tolerant):
    """Texts to embed."""

    model: str = ""
    input: str | list[str]
