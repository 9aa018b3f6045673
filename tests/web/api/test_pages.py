"""Seeing what is cited: pages of PDFs as pictures, the text of any document as HTML."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from werkzeug.test import TestResponse

from tests.ingest.conftest import make_pdf
from tests.web.conftest import API, PUMP, Docent, assert_error

HOSTILE = (
    "# <script>alert(1)</script>\n\n<img src=x onerror=alert(1)> <style>body{display:none}</style>\n\n"
    '<a href="javascript:alert(1)">click</a> &lt;b&gt; </mark></article><iframe src="//evil.example"></iframe>'
)
PAGES = [
    [("The pump runs at 40 bar and", 12, False, 700), ("it hums all day.", 12, False, 685)],
    [("The other page goes on here", 12, False, 700), ("and then it ends.", 12, False, 685)],
]


def yellow(response: TestResponse) -> int:
    """How many pixels of a picture are marked."""
    assert response.status_code == 200, response.text
    assert response.mimetype == "image/png"
    image = Image.open(io.BytesIO(response.data)).convert("RGB")
    return (
        image.width * image.height
        - sum(image.getchannel("B").histogram()[150:])
        - sum(image.getchannel("R").histogram()[:150])
    )


@pytest.fixture(scope="module")
def manual(shared: Docent) -> str:
    """The id of a PDF of two pages."""
    return str(shared.upload(("manual.pdf", make_pdf(PAGES)))[0]["id"])


@pytest.fixture(scope="module")
def note(shared: Docent) -> str:
    """The id of a text."""
    return str(shared.upload(("note.md", f"# Pumps\n\n{PUMP}"))[0]["id"])


def page(docent: Docent, document: str, number: int | str, **query: object) -> TestResponse:
    return docent.client.get(f"{API}/documents/{document}/pages/{number}.png", query_string=query)


def text_of(docent: Docent, document: str) -> str:
    return docent.client.get(f"{API}/documents/{document}/text").text


def test_a_page_without_and_with_a_mark(shared: Docent, manual: str) -> None:
    start = text_of(shared, manual).index("40 bar")
    plain = page(shared, manual, 1)
    marked = page(shared, manual, 1, highlight=f"{start}-{start + 6}", width=612)
    assert yellow(plain) == 0
    assert 300 < yellow(marked) < 1000
    assert marked.headers["X-Marked"] == "5/5"
    assert Image.open(io.BytesIO(marked.data)).size == (612, 792)
    assert Image.open(io.BytesIO(plain.data)).size[0] == 1000


def test_a_span_over_two_pages(shared: Docent, manual: str) -> None:
    text = text_of(shared, manual)
    start, end = text.index("it hums"), text.index("goes on")
    found = [page(shared, manual, number, highlight=f"{start}-{end}") for number in (1, 2)]
    assert [response.headers["X-Marked"] for response in found] == ["13/13", "12/12"]
    assert all(yellow(response) > 0 for response in found)
    first = page(shared, manual, 1, highlight=f"{start}-{start + 7}")
    assert yellow(first) > 0
    assert yellow(page(shared, manual, 2, highlight=f"{start}-{start + 7}")) == 0


def test_caching(shared: Docent, manual: str) -> None:
    first = page(shared, manual, 2, highlight="1-5")
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = shared.client.get(
        f"{API}/documents/{manual}/pages/2.png?highlight=1-5", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")
    assert page(shared, manual, 2, highlight="1-5").data == first.data
    assert page(shared, manual, 1, highlight="1-5").headers["ETag"] != first.headers["ETag"]


def test_what_is_refused(shared: Docent, manual: str, note: str) -> None:
    length = len(text_of(shared, manual))
    for number in (0, 3, 10**30):
        assert_error(page(shared, manual, number), 404, "page_not_found")
    for number in ("-1", "1.5", "x"):
        assert_error(page(shared, manual, number), 404)
    assert_error(page(shared, "f" * 32, 1), 404, "document_not_found")
    for highlight in ("5", "5-", "-5", "a-b", "9-3", "3-3", f"0-{length + 1}", "1-5-7", "٣-٥", "1-5\n"):
        assert_error(page(shared, manual, 1, highlight=highlight), 400, "validation")
        assert_error(shared.client.get(f"{API}/documents/{manual}/view", query_string={"highlight": highlight}), 400)
    for width in (63, 2401, "x"):
        assert_error(page(shared, manual, 1, width=width), 400, "validation")
    error = assert_error(page(shared, note, 1), 415, "unsupported_type")
    assert error["details"]["accepted"] == [".pdf"]


def test_an_unreadable_document_has_no_pages(shared: Docent) -> None:
    document = shared.upload(("bad.pdf", b"%PDF-1.7 broken"), ("good.txt", "words"))[0]
    assert document["status"] == "failed"
    assert_error(page(shared, document["id"], 1), 409, "document_not_indexed")
    assert_error(shared.client.get(f"{API}/documents/{document['id']}/view"), 409, "document_not_indexed")


def test_a_deleted_document_leaves_no_picture(docent: Docent) -> None:
    document = docent.upload(("manual.pdf", make_pdf(PAGES)))[0]["id"]
    assert page(docent, document, 1).status_code == 200
    folder: Path = docent.services.settings.data_dir / "pictures"
    assert list(folder.glob("*/*.png"))
    assert docent.client.delete(f"{API}/documents/{document}").status_code == 204
    assert not list(folder.glob("*/*"))
    assert_error(page(docent, document, 1), 404, "document_not_found")


def test_a_view_marks_the_span(shared: Docent, note: str) -> None:
    start = text_of(shared, note).index("40 bar")
    response = shared.client.get(f"{API}/documents/{note}/view?highlight={start}-{start + 6}")
    assert response.mimetype == "text/html"
    assert '<mark id="cited" class="cited" tabindex="-1" autofocus>40 bar</mark>' in response.text
    assert "<h2>Pumps</h2>" in response.text, "as its Markdown means it"
    assert response.headers["Cache-Control"] == "private, no-cache"
    again = shared.client.get(response.request.url, headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


def test_a_hostile_document_is_harmless(shared: Docent) -> None:
    name = "<script>alert(2)</script>.md"
    document = shared.upload((name, HOSTILE))[0]["id"]
    length = len(text_of(shared, document))
    response = shared.client.get(f"{API}/documents/{document}/view?highlight=0-{length}")
    body = response.text
    for tag in ("script", "img", "style", "iframe", "a href", "b>"):
        assert f"<{tag}" not in body.lower()
    assert body.count("</article>") == 1
    assert "onerror" not in body.replace("&lt;img src=x onerror", "")
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]


def test_a_long_text_comes_in_parts(shared: Docent) -> None:
    lines = [f"Line number {n} of a long text." for n in range(12000)]
    document = shared.upload(("long.txt", "\n".join(lines)))[0]["id"]
    text = text_of(shared, document)
    at = text.index("Line number 9000 ")
    response = shared.client.get(f"{API}/documents/{document}/view?highlight={at}-{at + 16}")
    assert ">Line number 9000</mark>" in response.text
    assert "Line number 10 " not in response.text
    assert "Earlier part" in response.text
    first = shared.client.get(f"{API}/documents/{document}/view")
    assert "Later part" in first.text
    assert "Earlier part" not in first.text
    assert len(first.text) < 300_000
