"""Every chat model: an OpenAI-compatible URL, reached through LangChain, streaming.

Owns the door to langchain_openai and openai, and maps their errors. Knows nothing of prompts or evidence. Tracing to
LangChain's cloud is turned off, whatever the environment says: questions and documents do not leave by a side door.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag.errors import ChatUnavailableError
from rag.types import ChatDelta, Message, Usage

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk
    from langchain_openai import ChatOpenAI

CONNECT_SECONDS = 10.0
OPENAI_HOST = "api.openai.com"
SHOWN_CHARACTERS = 200


class LangChainChat:
    """`rag.ports.ChatModel` over the URL that `base_url_of()` returns, or None while there is none. Thread-safe.

    `api_key` may be empty. `timeout_s` is the longest wait for the next token, the first one included. `alternatives` is how
    many of the likeliest tokens each delta tells with their chances; not every server knows that, so 0 asks for none.
    """

    def __init__(
        self,
        base_url_of: Callable[[], str | None],
        *,
        model: str,
        api_key: str = "",
        timeout_s: float = 60.0,
        alternatives: int = 0,
    ) -> None:
        self._base_url_of = base_url_of
        self._model = model
        self._api_key = api_key
        self._timeout_s = timeout_s
        self._alternatives = alternatives
        self._lock = threading.Lock()
        self._client: tuple[str, ChatOpenAI] | None = None

    @property
    def name(self) -> str:
        """The model's name, as reported in answers."""
        return self._model

    def ready(self) -> bool:
        """Whether there is a URL to call; whether a model answers behind a foreign one, only a call tells."""
        return self._base_url_of() is not None

    def load(self) -> None:
        """Import the libraries (some seconds) before the first question needs them."""
        _import_langchain()
        if base_url := self._base_url_of():
            self._client_for(base_url)

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[ChatDelta]:
        """Pieces of the completion as they come, at temperature 0. Closing the iterator closes the connection.

        Raises:
            ChatUnavailableError: not started, unreachable, refused, timed out, or nonsense was answered.
        """
        base_url = self._base_url_of()
        if base_url is None:
            raise ChatUnavailableError("The chat model is still starting, or has stopped; try again in a moment.")
        _import_langchain()
        import httpx
        from langchain_core.exceptions import LangChainException
        from openai import OpenAIError

        turns = [(message.role, message.content) for message in messages]
        got_any = False
        try:
            client = self._client_for(base_url)
            with closing(_generator(client.stream(turns, **_limit(base_url, max_tokens)))) as chunks:
                for chunk in chunks:
                    delta = _to_delta(chunk)
                    if delta.text or delta.usage:
                        got_any = True
                        yield delta
        except (OpenAIError, LangChainException, httpx.HTTPError) as error:
            raise self._unavailable(error, base_url) from error
        except (
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
        ) as error:  # how LangChain meets an answer of the wrong shape
            raise _not_compatible(base_url) from error
        if not got_any:
            raise _not_compatible(base_url)

    def _client_for(self, base_url: str) -> ChatOpenAI:
        with self._lock:  # the local server has another port after a restart
            if self._client is None or self._client[0] != base_url:
                self._client = base_url, self._build_client(base_url)
            return self._client[1]

    def _build_client(self, base_url: str) -> ChatOpenAI:
        from langchain_openai import ChatOpenAI
        from openai import DefaultHttpxClient, Timeout
        from pydantic import SecretStr

        _ = urlsplit(base_url).port  # raises ValueError for an impossible one, which the libraries would not
        further: dict[str, Any] = {}
        if _is_loopback(base_url):
            # A proxy cannot reach our loopback. llama.cpp may close a kept connection while the next request is sent,
            # and a new local connection costs nothing.
            further = {
                "http_client": DefaultHttpxClient(trust_env=False),
                "openai_proxy": "",
                "default_headers": {"Connection": "close"},
            }
        return ChatOpenAI(
            base_url=base_url,
            model=self._model,
            api_key=SecretStr(self._api_key or "none"),  # the library insists on a key
            temperature=0,
            timeout=Timeout(self._timeout_s, connect=min(CONNECT_SECONDS, self._timeout_s)),
            max_retries=0,
            stream_usage=True,
            logprobs=True if self._alternatives else None,
            top_logprobs=self._alternatives or None,
            use_responses_api=False,
            output_version="v0",
            **further,
        )

    def _unavailable(self, error: Exception, base_url: str) -> ChatUnavailableError:
        import openai

        at = f"The chat model at {_origin(base_url)}"
        if isinstance(error, openai.APITimeoutError):
            return ChatUnavailableError(f"{at} sent nothing for {self._timeout_s:g} s.")
        if isinstance(error, openai.APIConnectionError):
            return ChatUnavailableError(f"{at} cannot be reached, or broke off.")
        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            return ChatUnavailableError(f"{at} refused the key; check DOCENT_LLM_API_KEY.")
        said = self._without_key(getattr(error, "message", "") or type(error).__name__)
        if isinstance(error, openai.APIStatusError):
            return ChatUnavailableError(f"{at} answered {error.status_code}: {said}")
        return ChatUnavailableError(f"{at} failed: {said}")

    def _without_key(self, text: str) -> str:
        text = " ".join(text.split())[:SHOWN_CHARACTERS]
        return text.replace(self._api_key, "(secret)") if self._api_key else text


def _import_langchain() -> None:
    """Import once, with tracing off before langsmith reads (and remembers) the environment."""
    for key in ("LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING", "LANGCHAIN_TRACING"):
        os.environ[key] = "false"
    import langchain_openai  # noqa: F401


def _generator(chunks: Iterator[AIMessageChunk]) -> Any:
    """LangChain types its generator as an iterator, but it is the close method that stops the model."""
    return chunks


def _to_delta(chunk: AIMessageChunk) -> ChatDelta:
    counted = chunk.usage_metadata
    usage = Usage(counted["input_tokens"], counted["output_tokens"]) if counted else None
    return ChatDelta(str(chunk.text), usage, _alternatives(chunk))


def _alternatives(chunk: AIMessageChunk) -> dict[str, float]:
    told = (chunk.response_metadata.get("logprobs") or {}).get("content") or []
    return {item["token"]: float(item["logprob"]) for item in told[0].get("top_logprobs", [])} if told else {}


def _limit(base_url: str, max_tokens: int) -> dict[str, Any]:
    """OpenAI wants `max_completion_tokens`, which is what LangChain sends; the compatible ones know `max_tokens`."""
    if urlsplit(base_url).hostname == OPENAI_HOST:
        return {"max_tokens": max_tokens}
    return {"extra_body": {"max_tokens": max_tokens}}


def _not_compatible(base_url: str) -> ChatUnavailableError:
    return ChatUnavailableError(
        f"The chat model at {_origin(base_url)} answered something that is not an OpenAI-compatible stream; "
        "is the URL right?"
    )


def _origin(base_url: str) -> str:
    """Host and port: a URL may carry a password."""
    return urlsplit(base_url).netloc.rpartition("@")[2]


def _is_loopback(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
