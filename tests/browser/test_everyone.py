"""For everyone: other languages, other colours, no mouse, no patience; and behind a token."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Open, Visit, figures, wait_for_documents
from tests.server_process import ServerProcess, running_server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.model]
QUESTION = "What happens when I delete a document?"
TOKEN = "0123456789abcdef-token"
# Names, formats and what comes from documents; everything else on a Chinese page is Chinese.
LATIN = {
    "Docent",
    "English",
    "Markdown",
    "PDF",
    "Office",
    "MiB",
    "ZIP",
    "JavaScript",
    "Enter",
    "Shift",
    "Esc",
    "API",
    "default",
}
LATIN |= {"Tesseract", "kB", "GB", "TB", "extractive"}
TEXTS = """() => {
  const skipped = 'script, noscript, .answer, #preview, #panel-title, #panel-body, .file, .snippet, [lang=en], kbd, #document-body, .facts dd, option[value=default], .question, .title';
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) if (!walker.currentNode.parentElement.closest(skipped)) found.push(walker.currentNode.data);
  for (const node of document.querySelectorAll('[aria-label], [title], [placeholder]'))
    if (!node.closest(skipped + ', .card, #library, #conversation-list')) for (const name of ['aria-label', 'title', 'placeholder']) found.push(node.getAttribute(name) ?? '');
  return found.join('\\n');
}"""


# Headings of the English samples, a passage of which may stand among the nearest.
ENGLISH_SAMPLE = {"How", "it", "works", "Not", "answering"}


def latin_words(page: Page) -> set[str]:
    return set(re.findall(r"[A-Za-z]{2,}", page.evaluate(TEXTS))) - LATIN


def test_in_chinese(visit: Open) -> None:
    one = visit(locale="zh-CN")
    page = one.go()
    assert page.locator("html").get_attribute("lang") == "zh"
    one.keep("chinese-ask")
    assert not latin_words(page)
    one.ask("删除文档之后，数据还会保留吗？")
    expect(page.locator(".answer .verdict").first).to_contain_text("已核实")
    page.locator(".answer .chip").first.click()
    expect(page.locator("#panel")).to_be_visible()
    page.wait_for_timeout(500)
    one.keep("chinese-answer")
    assert not latin_words(page) - ENGLISH_SAMPLE
    for view in ("documents", "settings"):
        page.goto(f"{one.url}/#{view}")
        page.locator(f"#view-{view}:not([hidden])").wait_for()
        page.wait_for_timeout(400)
        one.keep(f"chinese-{view}")
        assert not latin_words(page) - ENGLISH_SAMPLE, view
    page.keyboard.press("?")
    one.keep("chinese-help")


def test_the_language_is_switched_and_remembered_and_nothing_typed_is_lost(visit: Open) -> None:
    one = visit()
    page = one.go()
    page.fill("#question", "half a question")
    page.get_by_role("link", name="中文").first.click()
    expect(page.get_by_role("link", name="提问", exact=True)).to_be_visible()
    expect(page.locator("#question")).to_have_value("half a question")
    page.goto(one.url)
    assert page.locator("html").get_attribute("lang") == "zh"


@pytest.mark.parametrize("viewport", [None, PHONE], ids=["desktop", "phone"])
def test_in_the_dark(visit: Open, viewport: dict[str, int] | None) -> None:
    name = "phone-dark" if viewport else "dark"
    one = visit(viewport=viewport, color_scheme="dark")
    page = one.go()
    assert background(page) < 60
    one.keep(f"{name}-ask")
    one.ask(QUESTION)
    one.keep(f"{name}-answer")
    page.locator(".answer .chip").first.click()
    page.wait_for_timeout(300)
    one.keep(f"{name}-citation")
    for view in ("documents", "settings"):
        page.goto(f"{one.url}/#{view}")
        page.wait_for_timeout(400)
        one.keep(f"{name}-{view}")


def background(page: Page) -> int:
    """The red of the page's background, 0 to 255."""
    return int(re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))[0])


def test_light_and_dark_are_switched_and_remembered(visit: Open) -> None:
    one = visit(color_scheme="light")
    page = one.go()
    page.get_by_role("button", name="Light or dark").click()
    assert background(page) < 60
    page.reload()
    assert background(page) < 60
    page.goto(f"{one.url}/#settings")
    page.get_by_label("Colours").select_option("")
    assert background(page) > 200


def test_by_keyboard_alone(visit: Open) -> None:
    one = visit()
    page = one.go()
    press = page.keyboard.press
    page.keyboard.type(QUESTION)
    press("Enter")
    page.locator(".answer:not([aria-busy]) .chip").first.wait_for()
    press("Escape")
    page.evaluate("document.activeElement.blur()")
    press("n")
    assert page.evaluate("document.activeElement.className") == "chip"
    expect(page.locator("#preview")).to_be_visible()
    press("Enter")
    expect(page.locator("#panel")).to_be_focused()
    press("ArrowRight")
    expect(page.locator("#panel-place")).to_contain_text("2 of")
    press("Escape")
    assert "chip" in page.evaluate("document.activeElement.className")
    press("?")
    expect(page.locator("#help")).to_be_visible()
    one.keep("help")
    press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    press("d")
    expect(page.locator("#view-documents")).to_be_visible()
    press("/")
    expect(page.locator("#question")).to_be_focused()
    # everything that can be pressed can be reached, and shows that it has the focus
    reached = set()
    for _ in range(80):
        press("Tab")
        found = page.evaluate("(e => [e.id || e.tagName, getComputedStyle(e).outlineStyle])(document.activeElement)")
        reached.add(found[0])
        assert found[1] != "none" or found[0] in ("BODY", "question"), found
    assert {"new-conversation", "conversation-search", "switch-theme", "open-help", "ask"} <= reached
    page.goto(f"{one.url}/#settings")
    page.get_by_label("Single-key shortcuts").press("Space")
    page.evaluate("document.activeElement.blur()")
    press("?")
    expect(page.locator("#help")).to_be_hidden()


def test_settings(visit: Open) -> None:
    one = visit()
    page = one.go("/#settings")
    expect(page.get_by_role("heading", name="Models")).to_be_visible()
    expect(page.locator("#server-state")).to_contain_text("none: sentences are quoted")
    expect(page.locator("#server-state")).to_contain_text("64 MiB")
    one.keep("settings")


def test_the_other_pages(visit: Open, server: ServerProcess) -> None:
    one = visit()
    one.go("/docs")
    one.keep("api-reference")
    guide = server.client.get("/api/v1/documents", params={"q": "guide.docx"}).json()["data"][0]
    one.go(f"/api/v1/documents/{guide['id']}/view?highlight=10-80")
    one.keep("document-view")


def test_the_budget(visit: Open) -> None:
    one = visit()
    weights: dict[str, int] = {}
    one.page.on("response", lambda response: weights.__setitem__(response.url, len(response.body())))
    page = one.go()
    page.wait_for_load_state("networkidle")
    weight = sum(weights.values())
    paints: list[float] = []
    for _ in range(3):
        page.reload()
        page.wait_for_load_state("networkidle")
        paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
    figures["page_weight_bytes"] = weight
    figures["requests"] = len(weights)
    figures["first_paint_ms"] = round(min(paints))
    assert weight <= 150_000, weights
    assert min(paints) <= 500


def sign_in(one: Visit) -> Page:
    page = one.go()
    page.fill("#token", TOKEN)
    page.press("#token", "Enter")
    page.locator("html[data-ready]").wait_for(state="attached")
    return page


def test_behind_a_token(visit: Open, tmp_path: Path) -> None:
    with running_server(tmp_path, DOCENT_LLM="extractive", DOCENT_SAMPLES="1", DOCENT_API_TOKEN=TOKEN) as running:
        running.client.headers["Authorization"] = f"Bearer {TOKEN}"
        running.wait_until(lambda body: body["ready"], 60)
        wait_for_documents(running)
        one = visit(running.url)
        one.go()
        one.keep("sign-in")
        page = sign_in(one)
        one.ask(QUESTION)
        expect(page.locator(".chip").first).to_be_visible()
        cookie = {"Cookie": f"docent_token={TOKEN}", "Origin": running.url}
        refused = httpx.post(f"{running.url}/api/v1/samples", headers=cookie, trust_env=False)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "csrf")
        page.goto(f"{running.url}/#settings")
        page.get_by_role("button", name="Sign out").click()
        expect(page.locator("#token")).to_be_visible()
        page.fill("#token", "wrong")
        one.expects_messages = True  # the browser reports the 401
        page.press("#token", "Enter")
        expect(page.get_by_role("alert")).to_have_text("That is not the access token of this server.")
        one.keep("sign-in-refused")
