"""An answer while it is written: slowly, stopped, cut off, very long, and full of markup."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, figures, wait_for_documents
from tests.rag.adapters.chat.stub_chat_server import StubChatServer, running_stub
from tests.server_process import ServerProcess, running_server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.model]
QUESTION = "What happens when I delete a document?"
ANSWER = "Yes. Nothing of a deleted document is ever found again. Deletion cannot be undone."


@pytest.fixture(scope="module")
def stub() -> Iterator[StubChatServer]:
    with running_stub() as server:
        yield server


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory, stub: StubChatServer) -> Iterator[ServerProcess]:
    """A server whose chat model is the stub."""
    with running_server(tmp_path_factory.mktemp("talking"), **settings_for(stub)) as running:
        running.wait_until(lambda body: body["ready"] and body["parts"]["chat"]["state"] == "ready", 60)
        wait_for_documents(running)
        yield running


def settings_for(stub: StubChatServer) -> dict[str, str]:
    return {
        "DOCENT_LLM": "openai",
        "DOCENT_LLM_BASE_URL": stub.url,
        "DOCENT_LLM_MODEL": "stub",
        "DOCENT_LLM_API_KEY": "none",
        "DOCENT_MIN_CONFIDENCE": "0.0",
        "DOCENT_SAMPLES": "1",
    }


def says(stub: StubChatServer, text: str, delay: float = 0.0) -> None:
    words = text.split(" ")
    stub.pieces = [f"{word} " for word in words[:-1]] + words[-1:]
    stub.delay = delay


def test_a_slow_answer_is_watched_stopped_and_asked_again(
    visit: Open, talking: ServerProcess, stub: StubChatServer
) -> None:
    says(stub, ANSWER + " It takes a while to say all this" * 40 + ".", delay=0.05)
    one = visit(talking.url)
    page = one.go()
    page.fill("#question", QUESTION)
    page.press("#question", "Enter")
    expect(page.locator(".card").first).to_be_visible()
    expect(page.locator(".answer[aria-busy]")).to_contain_text("Nothing of a deleted document")
    expect(page.locator(".answer .verdict").first).to_be_visible()
    expect(page.locator("#announce")).to_contain_text("Deletion cannot be undone")  # read out sentence by sentence
    one.keep("streaming")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".after")).to_contain_text("Stopped.")
    assert stub.hung_up.wait(10), "the model was stopped, too"
    one.keep("stopped")
    says(stub, ANSWER)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#announce")).to_contain_text("Answer ready")
    expect(page.locator("#thread > li")).to_have_count(1)


def test_markup_of_an_answer(visit: Open, talking: ServerProcess, stub: StubChatServer) -> None:
    says(
        stub,
        "Yes. This **Deletion** cannot be undone.\n\n- Nothing of a deleted document is ever found again.\n- `Deletion` cannot be undone <img src=x onerror=alert(1)>.",
    )
    one = visit(talking.url)
    one.page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    page = one.go()
    one.ask(QUESTION)
    expect(page.locator(".answer strong").first).to_have_text("Deletion")
    assert page.locator(".answer li").count() >= 1
    assert page.locator(".answer img").count() == 0
    one.keep("answer-with-markup")


FILLERS = ("now", "then", "here", "once", "again", "so", "and", "too", "just")


def test_a_long_answer_does_not_stutter(visit: Open, talking: ServerProcess, stub: StubChatServer) -> None:
    openings = itertools.islice(
        itertools.product(FILLERS, repeat=3), 450
    )  # a sentence that returns would stop the model
    says(
        stub,
        "Yes. "
        + " ".join(f"{' '.join(words).capitalize()} deletion of a document cannot be undone." for words in openings),
    )
    one = visit(talking.url)
    page = one.go()
    page.wait_for_timeout(600)
    page.evaluate(
        """() => {
          window.shift = 0; window.longest = 0;
          new PerformanceObserver(list => { for (const e of list.getEntries()) if (!e.hadRecentInput) window.shift += e.value; }).observe({type: 'layout-shift'});
          new PerformanceObserver(list => { for (const e of list.getEntries()) window.longest = Math.max(window.longest, e.duration); }).observe({type: 'longtask'});
        }"""
    )
    page.fill("#question", QUESTION)
    page.press("#question", "Enter")
    page.locator(".answer:not([aria-busy])").wait_for(timeout=90_000)
    words = len(page.locator(".answer").inner_text().split())
    figures["long_answer"] = {
        "words": words,
        "layout_shift": page.evaluate("window.shift"),
        "longest_task_ms": page.evaluate("window.longest"),
    }
    assert words > 4000
    assert page.evaluate("window.shift") < 0.05
    worst = page.evaluate(
        """async () => {
          let worst = 0, last = performance.now();
          for (let step = 0; step < 60; step++) {
            scrollBy({top: 400, behavior: 'instant'});
            await new Promise(requestAnimationFrame);
            worst = Math.max(worst, performance.now() - last);
            last = performance.now();
          }
          return worst;
        }"""
    )
    figures["long_answer"]["worst_frame_while_scrolling_ms"] = round(worst)
    assert worst < 250, "16 ms on an idle machine"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_server_dies_and_comes_back(visit: Open, stub: StubChatServer, tmp_path: Path) -> None:
    settings = {**settings_for(stub), "DOCENT_PORT": str(free_port())}
    says(stub, ANSWER + " And so on and so on" * 100 + ".", delay=0.05)
    one = None
    with running_server(tmp_path, **settings) as running:
        running.wait_until(lambda body: body["ready"] and body["parts"]["chat"]["state"] == "ready", 60)
        wait_for_documents(running)
        one = visit(running.url)
        one.expects_messages = True  # the browser itself reports the broken connection
        page = one.go()
        page.fill("#question", QUESTION)
        page.press("#question", "Enter")
        expect(page.locator(".answer[aria-busy]")).to_contain_text("Nothing of a deleted")
        killed = psutil.Process(running.process.pid)
        for process in [*killed.children(recursive=True), killed]:
            process.kill()
        running.process.wait()
        expect(page.locator(".error")).to_contain_text("The connection to Docent was lost.")
        expect(page.locator("#question")).to_have_value(QUESTION)
        expect(page.locator("#status")).to_contain_text("The server does not answer.")
        one.keep("connection-lost")
    says(stub, ANSWER)
    with running_server(tmp_path, **settings) as running:
        running.wait_until(lambda body: body["ready"] and body["parts"]["chat"]["state"] == "ready", 60)
        expect(page.locator("#status")).to_be_empty(timeout=15_000)
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("#announce")).to_contain_text("Answer ready")
        expect(page.locator("#question")).to_have_value("")
