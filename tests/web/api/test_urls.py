"""Documents by URL through the REST API."""

from __future__ import annotations

import pytest

from ingest.sources.url import UrlFetcher
from tests.ingest.conftest import make_zip
from tests.ingest.sources.test_url import LOCAL, Site, site  # noqa: F401  # a fixture
from tests.web.conftest import API, PUMP, Docent, Start, assert_error


@pytest.fixture
def fetching(start: Start, site: Site) -> Docent:  # noqa: F811
    """A server that may fetch from docs.test, which is the local site."""
    fetcher = UrlFetcher(
        (f"docs.test:{site.port}",),
        max_bytes=1 << 20,
        resolve=lambda host, port: [LOCAL],
        permits=lambda address: address == LOCAL,
    )
    return start(allow_urls=("docs.test",), fetcher=fetcher)


def test_a_url_becomes_a_document(fetching: Docent, site: Site) -> None:  # noqa: F811
    page = f"<html><body><nav>Menu</nav><main><h1>Pump</h1><p>{PUMP}</p></main></body></html>".encode()
    site.says("/pump", page, Content_Type="text/html")
    url = f"http://docs.test:{site.port}/pump"

    response = fetching.client.post(f"{API}/documents", json={"url": url, "collection": "web", "metadata": {"a": 1}})

    assert response.status_code == 202, response.text
    (found,) = fetching.finished(response)["documents"]
    assert (found["filename"], found["status"], found["collection"]) == ("docs.test/pump.html", "indexed", "web")
    assert found["metadata"] == {"a": 1, "url": url}
    again = fetching.client.post(f"{API}/documents", json={"url": url, "collection": "web"}).get_json()
    assert again["documents"][0]["status"] == "unchanged"
    site.says("/pump", page.replace(b"40 bar", b"55 bar"), Content_Type="text/html")
    newer = fetching.finished(fetching.client.post(f"{API}/documents", json={"url": url, "collection": "web"}))
    assert newer["documents"][0]["replaces"] == found["id"]
    assert "55 bar" in fetching.search("pump bar", collections=["web"])[0]["text"]


def test_an_archive_behind_a_url_is_unpacked(fetching: Docent, site: Site) -> None:  # noqa: F811
    site.says("/all.zip", make_zip({"a.md": b"# A", "b.txt": b"Bee"}), Content_Type="application/zip")

    response = fetching.client.post(f"{API}/documents", json={"url": f"http://docs.test:{site.port}/all.zip"})

    assert [item["filename"] for item in fetching.finished(response)["documents"]] == ["a.md", "b.txt"]


def test_failures_have_their_status_and_leave_nothing(fetching: Docent, site: Site) -> None:  # noqa: F811
    site.says("/gone.md", status=404)
    site.says("/photo.png", b"x", Content_Type="image/png")
    site.says("/large.txt", b"x" * (1 << 20) + b"y", Content_Type="text/plain")
    site.says("/blob", b"\0\1\2\3" * 100, Content_Type="application/octet-stream")
    base = f"http://docs.test:{site.port}"
    for url, status, code in [
        (f"{base}/gone.md", 422, "url_failed"),
        (f"{base}/photo.png", 415, "unsupported_type"),
        (f"{base}/large.txt", 413, "too_large"),
        (f"{base}/blob", 415, "unsupported_type"),
        ("http://other.test/a.md", 400, "url_not_allowed"),
        ("file:///etc/passwd", 400, "url_not_allowed"),
    ]:
        assert_error(fetching.client.post(f"{API}/documents", json={"url": url}), status, code)
    for body in ({"url": 5}, {"url": ""}, {"url": base, "text": "x"}):
        assert_error(fetching.client.post(f"{API}/documents", json=body), 400, "validation")
    assert fetching.stored_files() == []
    assert fetching.get("/documents")["total"] == 0


def test_without_the_setting_nothing_is_fetched(docent: Docent, site: Site) -> None:  # noqa: F811
    error = assert_error(
        docent.client.post(f"{API}/documents", json={"url": f"http://127.0.0.1:{site.port}/a.md"}),
        400,
        "url_not_allowed",
    )
    assert "DOCENT_ALLOW_URLS" in error["message"]
    assert site.asked == []
