"""What the terminal says after the start: a first question only once the documents can answer it."""

from __future__ import annotations

import threading
import time

import pytest

from app import greet
from tests.web.conftest import Docent

URL = "http://127.0.0.1:8000"


def greeting(docent: Docent, capsys: pytest.CaptureFixture[str], *, indexed: bool) -> tuple[str, str]:
    """What a first run says before the samples are indexed, or have not been within the patience, and then."""
    ended = threading.Event()

    def wait(timeout: float) -> bool:
        assert ended.wait(timeout)
        return indexed

    docent.services.pipeline.wait = wait  # type: ignore[method-assign]
    docent.services.samples_added = True
    greet(docent.services, URL)
    before = capsys.readouterr().out
    ended.set()
    deadline, after = time.monotonic() + 10, ""
    while "curl" not in after and time.monotonic() < deadline:
        time.sleep(0.01)
        after += capsys.readouterr().out
    return before, after


def test_a_first_run_suggests_a_question_when_the_samples_are_in(
    docent: Docent, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = greeting(docent, capsys, indexed=True)

    assert f"Docent is at {URL}/" in before
    assert "curl" not in before
    assert after.startswith("Ask it something:\n  curl -s http://127.0.0.1:8000/api/v1/ask ")


def test_samples_that_take_long_are_not_waited_for(docent: Docent, capsys: pytest.CaptureFixture[str]) -> None:
    _, after = greeting(docent, capsys, indexed=False)

    assert after.startswith("Once the samples are in, ask it something:\n  curl -s ")


def test_a_later_run_suggests_it_at_once(docent: Docent, capsys: pytest.CaptureFixture[str]) -> None:
    greet(docent.services, URL)

    said = capsys.readouterr().out
    assert f"Docent is at {URL}/" in said
    assert "Ask it something:\n  curl -s " in said
