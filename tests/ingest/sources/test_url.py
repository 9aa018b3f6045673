"""Fetching by URL: which addresses and hosts are refused, at every hop, and that size, time and type are bounded."""

from __future__ import annotations

import datetime
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ingest.sources import addresses
from ingest.sources import url as fetching
from ingest.sources.addresses import is_public
from ingest.sources.url import UrlFetcher, is_allowed
from rag.errors import DocentError, InvalidRequestError, TooLargeError, UnreadableError, UnsupportedTypeError
from rag.settings import Settings

Answer = Callable[[BaseHTTPRequestHandler], None]
LOCAL = "127.0.0.1"


class Site:
    """A local server whose answers the test in hand writes; `asked` lists the requests as (host, path)."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.answers: dict[str, Answer] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append((self.headers["Host"], self.path))
                site.headers = dict(self.headers)
                site.answers[self.path.partition("?")[0]](self)

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer((LOCAL, 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def says(self, path: str, body: bytes = b"", *, status: int = 200, **headers: str) -> None:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in {"Content_Length": str(len(body)), **headers}.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.end_headers()
            handler.wfile.write(body)

        self.answers[path] = answer


@pytest.fixture
def site() -> Iterator[Site]:
    found = Site()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def fetcher(site: Site) -> UrlFetcher:
    """One that takes `docs.test` and `*.wild.test` at the site's port, and every name for the local machine."""
    hosts = (f"docs.test:{site.port}", f"*.wild.test:{site.port}")
    return UrlFetcher(hosts, max_bytes=1 << 20, resolve=lambda host, port: [LOCAL], permits=lambda it: it == LOCAL)


def fetched(fetcher: UrlFetcher, url: str) -> tuple[str, bytes, str]:
    """Name, content and final URL."""
    target = io.BytesIO()
    with fetcher.open(url) as page:
        fetcher.copy(page, target)
        return page.name, target.getvalue(), page.url


def test_a_file_is_fetched_with_its_name(site: Site, fetcher: UrlFetcher) -> None:
    site.says("/guide/pump.md", b"# Pump\n\nIt runs at 40 bar.", Content_Type="text/plain; charset=utf-8")
    url = f"http://docs.test:{site.port}/guide/pump.md"

    assert fetched(fetcher, url + "#part") == (
        "docs.test/guide/pump.md",
        b"# Pump\n\nIt runs at 40 bar.",
        url + "#part",
    )
    assert site.asked == [(f"docs.test:{site.port}", "/guide/pump.md")]
    assert not {"Cookie", "Authorization", "Referer"} & set(site.headers)


@pytest.mark.parametrize(
    ("path", "sent", "name"),
    [
        ("/", "text/html; charset=utf-8", "docs.test/index.html"),
        ("/a/b", "application/pdf", "docs.test/a/b.pdf"),
        ("/page.php", "text/html", "docs.test/page.php.html"),
        ("/page.php?id=1", "text/html", "docs.test/page-6e4a0a3a.php.html"),
        ("/script.py", "text/x-python", "docs.test/script.py"),
        ("/data", "application/zip", "docs.test/data.zip"),
        ("/notes", "text/weird", "docs.test/notes.txt"),
        ("/blob", "application/octet-stream", "docs.test/blob"),
        ("/%E6%8A%A5%E5%91%8A.pdf", "application/octet-stream", "docs.test/报告.pdf"),
        ("/报告 .pdf".replace(" ", ""), "application/pdf", "docs.test/报告.pdf"),
        ("/x.html", "", "docs.test/x.html"),
    ],
)
def test_what_it_is_called(site: Site, fetcher: UrlFetcher, path: str, sent: str, name: str) -> None:
    asked = "".join(c if ord(c) < 128 else "".join(f"%{b:02X}" for b in c.encode()) for c in path).partition("?")[0]
    site.says(asked, b"x", **({"Content_Type": sent} if sent else {}))

    found = fetched(fetcher, f"http://docs.test:{site.port}{path}")[0]

    if "?" in path:
        assert found.startswith("docs.test/page-")
        assert found.endswith(".php.html")
    else:
        assert found == name


@pytest.mark.parametrize(("path", "sent"), [("/a.png", "image/png"), ("/a.pdf", "video/mp4"), ("/a", "font/woff2")])
def test_other_types_are_refused_before_they_are_read(site: Site, fetcher: UrlFetcher, path: str, sent: str) -> None:
    site.says(path, b"x" * 100, Content_Type=sent)
    with pytest.raises(UnsupportedTypeError) as refused:
        fetched(fetcher, f"http://docs.test:{site.port}{path}")
    assert ".pdf" in refused.value.details["accepted"]


@pytest.mark.parametrize(
    "address",
    """127.0.0.1 127.8.9.1 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 0.1.2.3
    192.0.0.1 192.0.2.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255
    :: ::1 fe80::1 fe80::1%eth0 fc00::1 fd12::1 fec0::1 ff02::1 2001:db8::1 100::1
    ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::7f00:1 ::10.0.0.1
    64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 2002:7f00:1::1 2002:0808:0808::1 2001:0:4136:e378:8000:63bf:3fff:fdd2
    192.0.0.8 192.88.99.1 168.63.129.16 3fff::1 5f00::1
    nonsense 1.2.3 2130706433 0x7f000001""".split(),
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("host", "port", "allowed"),
    [
        ("docs.example.org", None, True),
        ("DOCS.example.org", 443, True),
        ("docs.example.org", 8443, False),
        ("files.example.org", 8443, True),
        ("files.example.org", None, False),
        ("a.wiki.org", None, True),
        ("a.b.wiki.org", 80, True),
        ("wiki.org", None, False),
        (".wiki.org", None, False),
        ("evilwiki.org", None, False),
        ("docs.example.org.evil.net", None, False),
        ("xdocs.example.org", None, False),
    ],
)
def test_hosts_are_named_exactly(host: str, port: int | None, allowed: bool) -> None:
    assert is_allowed(host, port, ("docs.example.org", "files.example.org:8443", "*.wiki.org")) is allowed


@pytest.mark.parametrize(
    "url",
    [
        "ftp://docs.test/a.md",
        "file:///etc/passwd",
        "gopher://docs.test/",
        "//docs.test/a.md",
        "docs.test/a.md",
        "http://",
        "http://other.test/a.md",
        "http://docs.test/a.md",  # the port that is allowed is another
        "http://user:secret@docs.test:{port}/a.md",
        "http://docs.test:{port}@other.test/a.md",
        "http://docs.test:{port}\\@other.test/",
        "http://docs.test:{port}/a b",
        "http://docs.test:{port}/a\r\nHost: evil",
        "http://docs.test:99999/",
        "http://[::1/",
        "http://127.0.0.1:{port}/",
        "http://docs.test:{port}/" + "a" * 3000,
    ],
)
def test_urls_that_are_not_fetched(site: Site, fetcher: UrlFetcher, url: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        fetched(fetcher, url.replace("{port}", str(site.port)))
    assert refused.value.code in ("url_not_allowed", "validation")
    assert "secret" not in refused.value.message
    assert site.asked == []


def test_a_local_address_is_refused_without_the_tests_leave(site: Site) -> None:
    for resolve in (lambda host, port: [LOCAL], lambda host, port: ["8.8.8.8", LOCAL], lambda host, port: []):
        fetcher = UrlFetcher((f"docs.test:{site.port}",), max_bytes=1, resolve=resolve)
        with pytest.raises(InvalidRequestError, match="public address") as refused:
            fetched(fetcher, f"http://docs.test:{site.port}/")
        assert refused.value.code == "url_not_allowed"
    real = UrlFetcher((f"localhost:{site.port}", f"127.0.0.1:{site.port}"), max_bytes=1)
    for host in ("localhost", "127.0.0.1"):
        with pytest.raises(InvalidRequestError, match="public address"):
            fetched(real, f"http://{host}:{site.port}/")
    assert site.asked == []


def test_a_name_is_resolved_once_and_its_address_is_what_is_connected_to(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    connected: list[tuple[str, int]] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["8.8.8.8"] if len(asked) == 1 else [LOCAL]

    def elsewhere(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(addresses.socket, "create_connection", elsewhere)
    fetcher = UrlFetcher((f"docs.test:{site.port}",), max_bytes=1, resolve=rebinding)
    with pytest.raises(UnreadableError, match="does not answer"):
        fetched(fetcher, f"http://docs.test:{site.port}/")
    assert asked == ["docs.test"]
    assert connected == [("8.8.8.8", site.port)]


def test_the_address_really_connected_to_is_judged(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.create_connection
    monkeypatch.setattr(
        addresses.socket, "create_connection", lambda address, timeout: real((LOCAL, site.port), timeout)
    )
    fetcher = UrlFetcher((f"docs.test:{site.port}",), max_bytes=1, resolve=lambda host, port: ["8.8.8.8"])
    with pytest.raises(InvalidRequestError, match="public address"):
        fetched(fetcher, f"http://docs.test:{site.port}/")
    assert site.asked == []


def test_redirects_are_followed_and_each_hop_is_judged(site: Site, fetcher: UrlFetcher) -> None:
    site.says("/new.md", b"here", Content_Type="text/plain")
    site.says("/old.md", status=301, Location="/moved.md")
    site.says("/moved.md", status=307, Location=f"http://a.wild.test:{site.port}/new.md")
    assert fetched(fetcher, f"http://docs.test:{site.port}/old.md") == (
        "a.wild.test/new.md",
        b"here",
        f"http://a.wild.test:{site.port}/new.md",
    )

    for target in (
        f"http://evil.test:{site.port}/x",
        f"http://127.0.0.1:{site.port}/x",
        "file:///etc/passwd",
        "//evil.test/",
    ):
        site.says("/away.md", status=302, Location=target)
        with pytest.raises(InvalidRequestError) as refused:
            fetched(fetcher, f"http://docs.test:{site.port}/away.md")
        assert refused.value.code == "url_not_allowed"
    assert {path for _, path in site.asked} == {"/old.md", "/moved.md", "/new.md", "/away.md"}


def test_an_allowed_host_that_moves_to_a_private_address_is_refused(site: Site) -> None:
    """The second hop's name is allowed, too, but stands for an address that is not."""
    names = {"docs.test": "127.0.0.1", "inside.test": "127.0.0.2"}
    fetcher = UrlFetcher(
        tuple(f"{name}:{site.port}" for name in names),
        max_bytes=1 << 20,
        resolve=lambda host, port: [names[host]],
        permits=lambda address: address == "127.0.0.1",
    )
    site.says("/a.md", status=302, Location=f"http://inside.test:{site.port}/secret.md")
    site.says("/secret.md", b"secret", Content_Type="text/plain")
    with pytest.raises(InvalidRequestError, match="public address"):
        fetched(fetcher, f"http://docs.test:{site.port}/a.md")
    assert [path for _, path in site.asked] == ["/a.md"]


def test_a_ring_of_redirects_ends(site: Site, fetcher: UrlFetcher) -> None:
    site.says("/a", status=302, Location="/a")
    with pytest.raises(UnreadableError, match="leads on"):
        fetched(fetcher, f"http://docs.test:{site.port}/a")
    assert len(site.asked) == fetching.MAX_REDIRECTS + 1


def test_too_much_is_not_read(site: Site, fetcher: UrlFetcher) -> None:
    site.says("/told.txt", b"x", Content_Type="text/plain", Content_Length=str(1 << 30))
    with pytest.raises(TooLargeError) as refused:
        fetched(fetcher, f"http://docs.test:{site.port}/told.txt")
    assert refused.value.details["limit_mb"] == 1

    written: list[int] = []

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/plain")
        handler.end_headers()
        try:
            for _ in range(1000):
                handler.wfile.write(b"x" * (1 << 20))
                written.append(1)
        except OSError:
            return

    site.answers["/endless.txt"] = endless
    with pytest.raises(TooLargeError):
        fetched(fetcher, f"http://docs.test:{site.port}/endless.txt")
    assert len(written) < 100


def test_packed_answers_are_refused(site: Site, fetcher: UrlFetcher) -> None:
    site.says("/bomb.txt", b"\x1f\x8b", Content_Type="text/plain", Content_Encoding="gzip")
    with pytest.raises(UnreadableError, match="packed"):
        fetched(fetcher, f"http://docs.test:{site.port}/bomb.txt")


@pytest.mark.parametrize("where", ["head", "body", "silence"])
def test_a_slow_server_is_cut_off(site: Site, fetcher: UrlFetcher, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.setattr(fetching, "FETCH_SECONDS", 0.6)

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        if where == "body":
            handler.send_response(200)
            handler.send_header("Content-Type", "text/plain")
            handler.end_headers()
        try:
            for _ in range(200):
                handler.wfile.write(b"" if where == "silence" else b"H")
                handler.wfile.flush()
                time.sleep(0.05)
        except OSError:
            return

    site.answers["/slow.txt"] = trickle
    started = time.monotonic()
    with pytest.raises(UnreadableError) as failed:
        fetched(fetcher, f"http://docs.test:{site.port}/slow.txt")
    assert failed.value.code == "url_failed"
    assert time.monotonic() - started < 4


def test_what_breaks_off_is_no_document(site: Site, fetcher: UrlFetcher) -> None:
    site.says("/short.txt", b"half of it", Content_Type="text/plain", Content_Length="1000")
    with pytest.raises(UnreadableError) as failed:
        fetched(fetcher, f"http://docs.test:{site.port}/short.txt")
    assert failed.value.code == "url_failed"


@pytest.mark.parametrize("status", [204, 404, 500])
def test_an_answer_that_is_none(site: Site, fetcher: UrlFetcher, status: int) -> None:
    site.says("/a.txt", status=status, Content_Type="text/plain")
    with pytest.raises(UnreadableError, match=str(status)):
        fetched(fetcher, f"http://docs.test:{site.port}/a.txt")


def test_no_more_than_a_few_at_a_time(site: Site, fetcher: UrlFetcher) -> None:
    site.says("/a.txt", b"x", Content_Type="text/plain")
    url = f"http://docs.test:{site.port}/a.txt"

    def nested(depth: int) -> None:
        with fetcher.open(url):
            if depth:
                nested(depth - 1)

    with pytest.raises(DocentError) as busy:
        nested(fetching.MAX_FETCHES)
    assert busy.value.code == "fetches_busy"
    assert fetched(fetcher, url)[1] == b"x"


@contextmanager
def secured(site: Site, folder: Path, name: str) -> Iterator[ssl.SSLContext]:
    """TLS for the site, with a certificate for `name`; a context that trusts it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "site.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    pem.write_bytes(private + public)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    site.server.socket = context.wrap_socket(site.server.socket, server_side=True)
    yield ssl.create_default_context(cadata=public.decode())


def test_certificates_are_checked(site: Site, tmp_path: Path) -> None:
    site.says("/a.txt", b"sealed", Content_Type="text/plain")
    site.says("/down.txt", status=302, Location=f"http://docs.test:{site.port}/a.txt")
    hosts = (f"docs.test:{site.port}", f"other.test:{site.port}")
    local = {"resolve": lambda host, port: [LOCAL], "permits": lambda address: True}
    with secured(site, tmp_path, "docs.test") as trusted:
        known = UrlFetcher(hosts, max_bytes=1 << 20, trust=lambda: trusted, **local)  # type: ignore[arg-type]
        assert fetched(known, f"https://docs.test:{site.port}/a.txt")[1] == b"sealed"
        with pytest.raises(UnreadableError, match="SSLCertVerificationError"):
            fetched(known, f"https://other.test:{site.port}/a.txt")
        with pytest.raises(InvalidRequestError, match="from https to http"):
            fetched(known, f"https://docs.test:{site.port}/down.txt")
        stranger = UrlFetcher(hosts, max_bytes=1 << 20, **local)  # type: ignore[arg-type]
        with pytest.raises(UnreadableError, match="SSLCertVerificationError"):
            fetched(stranger, f"https://docs.test:{site.port}/a.txt")


@pytest.mark.parametrize(
    "raw", ["https://docs.example.org", "docs.example.org/path", "*", "a b", "user@host", "*.*.org"]
)
def test_hosts_that_cannot_be_named(raw: str) -> None:
    with pytest.raises(DocentError, match="DOCENT_ALLOW_URLS"):
        Settings.load({"DOCENT_ALLOW_URLS": raw}, None)
