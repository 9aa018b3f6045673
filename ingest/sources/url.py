"""Documents by their URL, from hosts that the operator has named. Owns every limit of such a request.

Each hop of a redirect is judged anew: scheme, host, and the address that is really connected to (`addresses.py`). Size, time
and type are capped. No proxy, cookie or credential is used.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from ingest.readers.registry import ARCHIVE_EXTENSIONS, FILE_TYPES, accepted_extensions
from ingest.sources.addresses import Permits, Resolve, connect, is_public, resolve
from rag.errors import InvalidRequestError, TooLargeError, UnavailableError, UnreadableError, UnsupportedTypeError

FETCH_SECONDS = 60.0
"""For the whole of it, redirects included."""

MAX_REDIRECTS = 5
MAX_URL = 2048
MAX_FETCHES = 4
"""At a time; each holds a thread of the server."""

_REDIRECTS = (301, 302, 303, 307, 308)
_PORTS = {"http": 80, "https": 443}
_BLOCK = 1 << 16
# Types that servers send for many kinds of files: the name decides then.
_VAGUE = ("", "application/octet-stream", "binary/octet-stream", "application/zip", "text/plain", "application/xml")


@dataclass(frozen=True, slots=True)
class Page:
    """What stands behind a URL: its name as a document, where it was found in the end, and its open response."""

    name: str
    url: str
    response: http.client.HTTPResponse
    deadline: float  # on the monotonic clock


class UrlFetcher:
    """Fetches from `hosts` (`example.org`, `*.example.org`, `example.org:8443`) up to `max_bytes`. Thread-safe.

    `resolve`, `permits` and `trust` are for tests, which have local servers only.
    """

    def __init__(
        self,
        hosts: Sequence[str],
        *,
        max_bytes: int,
        resolve: Resolve = resolve,
        permits: Permits = is_public,
        trust: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._hosts = tuple(host.lower() for host in hosts)
        self._trust = trust
        self._max_bytes = max_bytes
        self._resolve = resolve
        self._permits = permits
        self._free = threading.BoundedSemaphore(MAX_FETCHES)

    @property
    def enabled(self) -> bool:
        """Whether any host may be fetched from."""
        return bool(self._hosts)

    @contextmanager
    def open(self, url: str) -> Iterator[Page]:
        """What stands behind `url`; copy it inside the block with `copy`.

        Raises:
            InvalidRequestError: no possible URL (code "validation"), or one that is not allowed (code "url_not_allowed").
            UnsupportedTypeError: it is of a type that no reader takes.
            TooLargeError: it says that it is over the limit.
            UnreadableError: it cannot be fetched (code "url_failed").
            UnavailableError: too many are being fetched.
        """
        if not self._free.acquire(blocking=False):
            raise UnavailableError("Other URLs are being fetched. Try again shortly.", code="fetches_busy")
        try:
            with self._followed(url, time.monotonic() + FETCH_SECONDS) as page:
                yield page
        finally:
            self._free.release()

    def copy(self, page: Page, target: BinaryIO) -> None:
        """Write the body. Raises TooLargeError over the limit, UnreadableError when it is cut off or takes too long."""
        left = self._max_bytes
        while True:
            try:
                block = page.response.read(_BLOCK)
            except (http.client.HTTPException, OSError) as error:
                raise _failed(error) from error
            if not block:
                break
            left -= len(block)
            if left < 0:
                raise self._too_large()
            target.write(block)
        # where the length is not known, a connection that the watch broke ends like a whole body
        if time.monotonic() >= page.deadline:
            raise UnreadableError(f"Fetching the URL took longer than {FETCH_SECONDS:g} seconds.", code="url_failed")
        if page.response.length:  # http.client takes a body that ends early for a whole one when it is read in parts
            raise UnreadableError("The server broke off in the middle of the file.", code="url_failed")

    @contextmanager
    def _followed(self, url: str, deadline: float) -> Iterator[Page]:
        for _ in range(MAX_REDIRECTS + 1):
            parts = self._judged(url)
            with self._asked(parts, deadline) as response:
                if response.status not in _REDIRECTS:
                    self._check(response)
                    yield Page(_named(parts, response), url, response, deadline)
                    return
                target = urljoin(url, response.headers.get("Location") or "")
            if parts.scheme == "https" and urlsplit(target).scheme == "http":
                raise InvalidRequestError("The URL leads from https to http.", code="url_not_allowed")
            url = target
        raise UnreadableError(f"The URL leads on more than {MAX_REDIRECTS} times.", code="url_failed")

    def _judged(self, url: str) -> SplitResult:
        """The parts of a URL that may be fetched. Raises InvalidRequestError."""
        try:
            if len(url) > MAX_URL or any(ord(character) <= 32 or ord(character) == 127 for character in url):
                raise ValueError
            parts = urlsplit(url)
            host, port = _host(parts), parts.port
        except ValueError as error:  # UnicodeError is one
            raise InvalidRequestError("That is no URL.", code="validation") from error
        if parts.scheme not in _PORTS or not host:
            raise InvalidRequestError("Only http:// and https:// URLs can be fetched.", code="url_not_allowed")
        if parts.username is not None or parts.password is not None:
            raise InvalidRequestError("A URL with a user name or password is not fetched.", code="url_not_allowed")
        if not is_allowed(host, port, self._hosts):
            raise InvalidRequestError(
                "This server does not fetch from that host. DOCENT_ALLOW_URLS names the hosts it may fetch from.",
                code="url_not_allowed",
                details={"host": host},
            )
        return parts

    @contextmanager
    def _asked(self, parts: SplitResult, deadline: float) -> Iterator[http.client.HTTPResponse]:
        """The response to a GET, with a watch that breaks the connection at the deadline."""
        host, port = _host(parts), parts.port or _PORTS[parts.scheme]
        opened = connect(host, port, resolve=self._resolve, permits=self._permits, deadline=deadline)
        # a second handle: TLS takes the first one away
        with closing(opened), closing(opened.dup()) as handle:
            watch = threading.Timer(max(deadline - time.monotonic(), 0.0), _cut, (handle,))
            watch.daemon = True
            watch.start()
            try:
                with closing(http.client.HTTPConnection(host, port)) as connection:
                    try:
                        response = self._response(connection, opened, parts)
                    except (http.client.HTTPException, OSError) as error:
                        raise _failed(error) from error
                    with response:
                        yield response
            finally:
                watch.cancel()

    def _response(
        self, connection: http.client.HTTPConnection, opened: socket.socket, parts: SplitResult
    ) -> http.client.HTTPResponse:
        host = _host(parts)
        connection.auto_open = 0  # it is given its socket and must never open another by itself
        secure = parts.scheme == "https"
        connection.sock = self._trust().wrap_socket(opened, server_hostname=host) if secure else opened
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        shown = f"[{host}]" if ":" in host else host
        connection.putrequest("GET", _ascii(target), skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", shown if parts.port is None else f"{shown}:{parts.port}")
        connection.putheader("User-Agent", "Docent")
        connection.putheader("Accept", "*/*")
        connection.putheader("Accept-Encoding", "identity")
        connection.putheader("Connection", "close")
        connection.endheaders()
        return connection.getresponse()

    def _check(self, response: http.client.HTTPResponse) -> None:
        if response.status != 200:
            raise UnreadableError(f"The URL answers with status {response.status}.", code="url_failed")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UnreadableError("The URL answers in a packed form that was not asked for.", code="url_failed")
        if response.length is not None and response.length > self._max_bytes:
            raise self._too_large()

    def _too_large(self) -> TooLargeError:
        limit = self._max_bytes >> 20
        return TooLargeError(f"The file is too large: at most {limit} MiB are accepted.", details={"limit_mb": limit})


def is_allowed(host: str, port: int | None, hosts: Sequence[str]) -> bool:
    """Whether one of `hosts` names this host; a port other than the usual ones must be named with it."""
    named = host.lower() if port in (None, *_PORTS.values()) else f"{host.lower()}:{port}"
    return any(
        named == pattern or (pattern.startswith("*.") and named.endswith(pattern[1:]) and len(named) >= len(pattern))
        for pattern in hosts
    )


def _named(parts: SplitResult, response: http.client.HTTPResponse) -> str:
    """The document's name: host and path, so that another file of that name is another document; with an extension that
    tells its type. Raises UnsupportedTypeError.
    """
    path = unquote(parts.path, errors="replace").strip("/")
    name = f"{_host(parts)}/{path or 'index'}".replace(":", "_")
    if parts.query:
        name = _tagged(name, sha256(parts.query.encode("utf-8", "replace")).hexdigest()[:8])
    sent = response.headers.get_content_type() if response.headers.get("Content-Type") else ""
    sent = "text/html" if sent == "application/xhtml+xml" else sent
    of_type = next((each.extensions for each in FILE_TYPES if each.gathered and each.media_type == sent), ())
    extension = _extension(name)
    if extension in (*accepted_extensions(), *ARCHIVE_EXTENSIONS):
        # a type that says more than the name, such as a page made by a .php, wins over it
        if of_type and extension not in of_type and sent not in _VAGUE:
            return name + of_type[0]
        if sent in _VAGUE or sent.startswith(("text/", "application/", "message/")):
            return name
    elif sent == "application/zip":
        return name + ARCHIVE_EXTENSIONS[0]
    elif of_type or sent.startswith("text/"):
        return name + (of_type or (".txt",))[0]
    elif sent in _VAGUE:
        return name  # its first bytes will tell
    raise UnsupportedTypeError(
        f"The URL answers with {sent}, which no reader takes. Accepted: {', '.join(accepted_extensions())}.",
        details={"accepted": list(accepted_extensions())},
    )


def _extension(name: str) -> str:
    last = name.rsplit("/", 1)[-1]
    return f".{last.rsplit('.', 1)[1].lower()}" if "." in last else ""


def _tagged(name: str, tag: str) -> str:
    """A name with a tag before its extension."""
    extension = _extension(name)
    return (
        f"{name[: len(name) - len(extension)]}-{tag}{name[len(name) - len(extension) :]}"
        if extension
        else f"{name}-{tag}"
    )


def _cut(opened: socket.socket) -> None:
    try:
        opened.shutdown(socket.SHUT_RDWR)
    except OSError:  # it has ended by itself
        return


def _host(parts: SplitResult) -> str:
    """The host as it is looked up. Raises UnicodeError for a name that cannot be one."""
    host = (parts.hostname or "").rstrip(".")
    return host if host.isascii() else host.encode("idna").decode("ascii")


def _ascii(target: str) -> str:
    """A path and query with what is not ASCII written as percent and digits."""
    return "".join(
        character if ord(character) < 128 else "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))
        for character in target
    )


def _failed(error: Exception) -> UnreadableError:
    # not the error's own text: it may repeat what a foreign server sent
    return UnreadableError(f"The URL cannot be fetched ({type(error).__name__}).", code="url_failed")
