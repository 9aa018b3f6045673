"""A library of ten thousand documents: pages, orders and filters come from the server."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from catalog.engine import Database
from catalog.mappers import now
from catalog.tables import collections, documents
from tests.browser.conftest import PHONE, Open, figures
from tests.server_process import running_server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.model]


def test_ten_thousand_documents(visit: Open, tmp_path: Path) -> None:
    database = Database(tmp_path / "catalog.sqlite3")
    moment = now()
    row = {
        "collection_id": 1,
        "media_type": "text/plain",
        "status": "failed",
        "live": False,
        "attempts": 0,
        "error_code": "empty",
    }
    row |= {"error_message": "The file is empty.", "warnings": [], "chunks": 0, "metadata": {}, "updated_at": moment}
    with database.write() as connection:
        connection.execute(collections.insert().values(id=1, name="default", embedding_model="x", created_at=moment))
        connection.execute(
            documents.insert(),
            [
                {
                    **row,
                    "id": f"{n:032x}",
                    "filename": f"report-{n:05}.txt",
                    "bytes": n,
                    "sha256": f"{n:064x}",
                    "created_at": moment + timedelta(seconds=n),
                }
                for n in range(10_000)
            ],
        )
    database.close()
    with running_server(tmp_path, DOCENT_LLM="extractive") as running:
        one = visit(running.url)
        page = one.go("/#documents")
        expect(page.locator("#page-note")).to_have_text("1–50 of 10,000")
        page.evaluate("window.began = performance.now()")
        page.get_by_role("button", name="Next").click()
        expect(page.locator("#page-note")).to_have_text("51–100 of 10,000")
        figures["ms_to_next_page_of_10000_documents"] = round(page.evaluate("performance.now() - window.began"))
        page.select_option("#sort", "-bytes")
        expect(page.locator("#library .file").first).to_have_text("report-09999.txt")
        expect(page.locator("#page-note")).to_have_text("1–50 of 10,000")
        page.fill("#filter-name", "report-0777")
        expect(page.locator("#library tbody tr")).to_have_count(10)
        one.keep("library-ten-thousand")
        page.set_viewport_size(PHONE)
        one.keep("phone-library")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.goto("about:blank")  # no more questions to a server that is about to end
