"""A real Chromium before a real server. Pictures of each state are kept in artefacts/, with figures in artefacts/browser.json.

Without Chromium these tests are skipped with one line that says so; under continuous integration (CI=true) they fail.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python import sync_playwright as axe_package
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.server_process import PROJECT, ServerProcess, running_server

CHROMIUM = os.environ.get("CHROMIUM", "") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
MISSING = "no Chromium: install it (apt-get install chromium fonts-noto-cjk), or set CHROMIUM to its path"
ARTEFACTS = PROJECT / "artefacts"
AXE = (Path(axe_package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SWITCHES = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --force-color-profile=srgb"
).split()
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
PATIENCE_MS = 15_000

expect.set_options(timeout=PATIENCE_MS)
figures: dict[str, Any] = {"states": [], "axe_violations": 0}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.keywords and not CHROMIUM and not os.environ.get("CI"):
            item.add_marker(pytest.mark.skip(reason=MISSING))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not CHROMIUM:
        terminalreporter.write_line(f"The browser tests did not run: {MISSING}.", yellow=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, once for all tests; figures are written when it closes."""
    if not CHROMIUM:
        pytest.fail(MISSING)
    ARTEFACTS.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield chromium
        chromium.close()
    figures["screenshots"] = len(figures["states"])
    (ARTEFACTS / "browser.json").write_text(json.dumps(figures, indent=2, ensure_ascii=False), encoding="utf-8")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that answers with quoted sentences, the samples in its library. Tests leave these as they are."""
    folder = tmp_path_factory.mktemp("browser")
    with running_server(folder, DOCENT_LLM="extractive", DOCENT_SAMPLES="1") as running:
        running.wait_until(lambda body: body["ready"], 60)
        wait_for_documents(running)
        yield running


def wait_for_documents(running: ServerProcess) -> None:
    """Until nothing of the library is on its way any more."""
    running.wait_until(lambda _: not _moving(running), 120)


def _moving(running: ServerProcess) -> bool:
    found = running.client.get("/api/v1/documents", params={"limit": 500}).json()["data"]
    return any(document["status"] not in ("indexed", "failed", "cancelled") for document in found)


@dataclass
class Visit:
    """A page in a browser of its own, and what went wrong in it."""

    page: Page
    context: BrowserContext
    url: str
    said: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    expects_messages: bool = False

    def go(self, path: str = "/") -> Page:
        """Open a page of the server and wait until its scripts have run."""
        self.page.goto(self.url + path)
        if self.page.locator("script[type=module]").count():
            self.page.locator("html[data-ready]").wait_for(state="attached")
        return self.page

    def until(self, expression: str, page: Page | None = None) -> None:
        """Poll an expression until it is true. (The page's policy forbids Playwright's own way, which evaluates strings.)"""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not (page or self.page).evaluate(expression):
            assert time.monotonic() < deadline, f"never true: {expression}"
            time.sleep(0.05)

    def ask(self, question: str) -> None:
        """Type a question, press Enter, and wait for the whole answer."""
        self.page.fill("#question", question)
        self.page.press("#question", "Enter")
        self.page.wait_for_selector("#thread > li:last-child .answer:not([aria-busy])")

    def keep(self, state: str, *, axe: bool = True) -> None:
        """Keep a picture of a state, and fail on anything that axe finds in it."""
        self.page.wait_for_timeout(250)  # motion ends, images are drawn
        self.page.screenshot(path=ARTEFACTS / f"{state}.png")
        figures["states"].append(state)
        if axe:
            found = self.violations()
            figures["axe_violations"] += len(found)
            assert not found, f"{state}: {json.dumps(found, indent=1)}"

    def violations(self) -> list[dict[str, Any]]:
        """What axe finds: rule, help, and the nodes."""
        self.page.evaluate(AXE)
        found = self.page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", WCAG
        )
        return [
            {
                "rule": violation["id"],
                "help": violation["help"],
                "nodes": [node["html"][:200] + " | " + (node["failureSummary"] or "") for node in violation["nodes"]],
            }
            for violation in found["violations"]
        ]


Open = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser, server: ServerProcess) -> Iterator[Open]:
    """Opens browsers: `visit(url=…, viewport=…, locale=…, color_scheme=…)`. Each must stay silent and at home."""
    opened: list[Visit] = []

    def open_one(url: str = "", *, viewport: Any = None, locale: str = "en-GB", **options: Any) -> Visit:
        context = browser.new_context(
            viewport=viewport or DESKTOP, locale=locale, timezone_id="Europe/Berlin", reduced_motion="reduce", **options
        )
        context.set_default_timeout(PATIENCE_MS)
        one = Visit(context.new_page(), context, url or server.url)
        context.on("console", lambda message: one.said.append(f"{message.type}: {message.text} {message.location}"))
        context.on("weberror", lambda error: one.said.append(str(error.error)))
        context.on(
            "request",
            lambda request: (
                None if request.url.startswith((one.url, "data:", "blob:")) else one.elsewhere.append(request.url)
            ),
        )
        opened.append(one)
        return one

    yield open_one
    for one in opened:
        one.context.close()
        assert not one.elsewhere, "requests to another origin"
        if not one.expects_messages:
            assert not one.said, "console messages"
