"""Places, replies and a scripted subject, for the tests of evaluation."""

from __future__ import annotations

from typing import Any

from evaluation.fitting.observations import Found, Place, Reply
from evaluation.golden import GoldenQuestion, GoldPlace, GoldSpan, parse_golden
from rag.errors import UnavailableError


def place(filename: str, start: int = 0, end: int = 10, text: str = "", **more: Any) -> Place:
    """A place in document "id of FILENAME"."""
    return Place(f"id of {filename}", filename, start, end, text, **more)


def question(text: str = "Q?", *, answerable: bool = True, **more: Any) -> GoldenQuestion:
    """A golden question on line 1."""
    return GoldenQuestion(1, text, answerable, **more)


def places(*files: str) -> tuple[GoldPlace, ...]:
    """Whole gold documents."""
    return tuple(GoldPlace(file) for file in files)


def span(file: str, start: int, end: int) -> GoldSpan:
    """A gold span."""
    return GoldSpan(file, start, end)


def reply(text: str = "Yes.", *, answered: bool = True, **more: Any) -> Reply:
    """An answer that took 10 ms and cites nothing."""
    given: dict[str, Any] = {
        "reason": None if answered else "no_evidence",
        "citations": (),
        "verdicts": (),
        "groundedness": None,
        "first_token_ms": 5.0,
        "total_ms": 10.0,
        **more,
    }
    return Reply(text=text, answered=answered, **given)


def golden(*lines: str) -> list[GoldenQuestion]:
    """Questions of lines that must be right."""
    questions, problems = parse_golden(lines)
    assert problems == []
    return questions


class Scripted:
    """A subject that finds and says what it is given by question; a question that it does not know is an error."""

    top_k = 2

    def __init__(self, found: dict[str, Found], replies: dict[str, Reply] | None = None) -> None:
        self.found, self.replies = found, replies or {}
        self.asked: list[str] = []

    def search(self, question: str, *, depth: int) -> Found:
        if question not in self.found:
            raise UnavailableError("down")
        return self.found[question]

    def ask(self, question: str) -> Reply:
        self.asked.append(question)
        return self.replies[question]

    def text(self, document_id: str) -> str:
        return "0123456789"

    def filenames(self) -> set[str]:
        return {"a.md", "b.md"}
