"""A running server, reached over REST, as a subject of measurement. It does not show its evidence.

Owns the door to the contract's JSON (docs/api.md) on the measuring side, and maps httpx errors.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evaluation.fitting.observations import Found, Place, Reply
from rag.errors import ConfigurationError, UnavailableError

if TYPE_CHECKING:
    import httpx

PAGE = 500
# The contract's default; a server may be set to another, which it does not tell.
REST_TOP_K = 10


class RestSubject:
    """A running server. It does not show its evidence, so what is measured on evidence is left out."""

    top_k = REST_TOP_K

    def __init__(self, url: str, collection: str, *, token: str = "") -> None:
        """Connect.

        Raises:
            ConfigurationError: no Docent answers there, it wants another token, or it has no such collection.
        """
        import httpx

        self._collection = collection
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(base_url=url.rstrip("/") + "/api/v1", headers=headers, timeout=600, trust_env=False)
        try:
            answer = self._client.get(f"/collections/{collection}")
        except httpx.HTTPError as error:
            raise ConfigurationError(f"No server answers at {url}: {error}.") from error
        if answer.status_code != 200:
            raise ConfigurationError(f"{url} refuses: {_message(answer)}")

    def search(self, question: str, *, depth: int) -> Found:
        """See `Subject.search`. Times are the client's."""
        clock = time.perf_counter()
        usual = self._post("/search", query=question, collections=[self._collection], top_k=self.top_k)
        taken = (time.perf_counter() - clock) * 1000
        deep = usual
        if depth > self.top_k:
            deep = self._post("/search", query=question, collections=[self._collection], top_k=depth)
        return Found(tuple(_place(item, item["text"]) for item in deep["passages"]), taken)

    def ask(self, question: str) -> Reply:
        """See `Subject.ask`. The conversation that the server starts for it is deleted again."""
        clock = time.perf_counter()
        answer = self._post("/ask", question=question, collections=[self._collection])
        taken = (time.perf_counter() - clock) * 1000
        if conversation := answer.get("conversation_id"):
            self._call("DELETE", f"/conversations/{conversation}")
        return Reply(
            text=answer["answer"],
            answered=answer["answered"],
            reason=answer["reason"],
            citations=tuple(_place(item, item["quote"]) for item in answer["citations"]),
            verdicts=tuple(sentence["verdict"] for sentence in answer["sentences"]),
            groundedness=answer["groundedness"],
            first_token_ms=answer["timings"].get("first_token_ms"),
            total_ms=taken,
            verify_ms=answer["timings"].get("verify_ms"),
            confidence=answer.get("confidence"),
        )

    def text(self, document_id: str) -> str:
        """See `Subject.text`."""
        return self._read("GET", f"/documents/{document_id}/text").content.decode("utf-8")

    def filenames(self) -> set[str]:
        """See `Subject.filenames`."""
        names: set[str] = set()
        page = 1
        while True:
            query = {"collection": self._collection, "status": "indexed", "page": page, "limit": PAGE}
            found = self._read("GET", "/documents", params=query).json()
            names |= {item["filename"] for item in found["data"]}
            if not found["has_more"]:
                return names
            page += 1

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def _post(self, path: str, **body: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._read("POST", path, json=body).json()
        return found

    def _read(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        answer = self._call(method, path, **arguments)
        if answer.status_code == 401:
            raise ConfigurationError(f"The server refuses: {_message(answer)}")
        if answer.status_code != 200:
            raise UnavailableError(_message(answer))
        return answer

    def _call(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        import httpx

        try:
            return self._client.request(method, path, **arguments)
        except httpx.HTTPError as error:
            raise UnavailableError(f"The server stopped answering: {error or type(error).__name__}.") from error


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}"


def _place(item: Mapping[str, Any], text: str) -> Place:
    return Place(
        item["document_id"],
        item["filename"],
        item["char_start"],
        item["char_end"],
        text,
        item["page"],
        item["page_end"],
        item["score"],
        item.get("n", 0),
    )
