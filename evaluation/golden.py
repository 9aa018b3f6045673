"""Golden questions: the file format of `docent eval`, and its checks.

Owns what a line may say and how a gold place is matched. A line that is wrong is named with its number and the reason,
and all wrong lines are told at once. The format is described in docs/evaluation.md.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from rag.errors import ConfigurationError

KEYS = ("question", "answerable", "relevant", "answers", "answer_groups", "evidence", "spans", "id", "draft", "meta")
SHOWN_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class GoldSpan:
    """Characters [start, end) of a document's text."""

    file: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class GoldPlace:
    """A document, or one of several pages of it that are equally good; `pages` is empty for the whole document.

    `grade` 1 upwards: how relevant it is, for nDCG.
    """

    file: str
    pages: tuple[int, ...] = ()
    grade: float = 1.0


@dataclass(frozen=True, slots=True)
class GoldenQuestion:
    """A question and what is known of its answer. `line` is 1-based.

    `groups`: lists of alternatives, of each of which a right answer holds one; `evidence`: passages of the documents,
    word for word, that answer.
    """

    line: int
    question: str
    answerable: bool
    relevant: tuple[GoldPlace, ...] = ()
    answers: tuple[str, ...] = ()
    spans: tuple[GoldSpan, ...] = ()
    draft: bool = False
    groups: tuple[tuple[str, ...], ...] = ()
    evidence: tuple[str, ...] = ()


def read_golden(path: Path, *, drafts: bool = False, limit: int | None = None) -> list[GoldenQuestion]:
    """The questions of a file in their order, the first `limit` of them.

    Raises:
        ConfigurationError: the file cannot be read, is empty, holds wrong lines, or holds drafts without `drafts`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(f"{path} cannot be read: {reason}.") from error
    questions, problems = parse_golden(text.split("\n"))
    if problems:
        more = f"\n… and {len(problems) - SHOWN_PROBLEMS} more" if len(problems) > SHOWN_PROBLEMS else ""
        raise ConfigurationError("\n".join(f"{path}:{problem}" for problem in problems[:SHOWN_PROBLEMS]) + more)
    if not questions:
        raise ConfigurationError(f"{path} holds no questions.")
    drafted = [question.line for question in questions if question.draft]
    if drafted and not drafts:
        raise ConfigurationError(
            f"{path} holds {len(drafted)} drafts (the first on line {drafted[0]}). Read them, correct them and remove "
            '"draft": true, or measure on drafts with --drafts.'
        )
    return questions[:limit]


def parse_golden(lines: Iterable[str]) -> tuple[list[GoldenQuestion], list[str]]:
    """The questions, and the problems as "LINE: what is wrong". Empty lines are skipped."""
    questions, problems = [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            questions.append(_question(number, json.loads(line)))
        except json.JSONDecodeError as error:
            problems.append(f"{number}: not JSON ({error.msg} at character {error.pos + 1})")
        except ValueError as error:
            problems.append(f"{number}: {error}")
    return questions, problems


def file_matches(gold: str, filename: str) -> bool:
    """Whether a gold file name means this document: the same name, or the same without its last extension."""
    gold, filename = unicodedata.normalize("NFC", gold), unicodedata.normalize("NFC", filename)
    return gold in (filename, str(PurePosixPath(filename).with_suffix("")))


def unknown_files(questions: Sequence[GoldenQuestion], filenames: Iterable[str]) -> list[str]:
    """Gold files that no document of the collection is named after, sorted."""
    known: set[str] = set()
    for name in filenames:
        name = unicodedata.normalize("NFC", name)
        known |= {name, str(PurePosixPath(name).with_suffix(""))}
    named = {place.file for question in questions for place in question.relevant}
    named |= {span.file for question in questions for span in question.spans}
    return sorted(name for name in named if unicodedata.normalize("NFC", name) not in known)


def _question(line: int, row: Any) -> GoldenQuestion:
    """A checked line. Raises ValueError saying what is wrong."""
    if not isinstance(row, dict):
        raise ValueError("expected a JSON object")
    if unknown := sorted(row.keys() - set(KEYS)):
        raise ValueError(f"unknown key {unknown[0]!r}; known are {', '.join(KEYS)} (anything else belongs in meta)")
    question = row.get("question")
    if not isinstance(question, str) or not question.strip():
        raise ValueError('"question" must be a text that is not empty')
    answerable = _flag(row, "answerable", default=True)
    answers, evidence = _texts(row, "answers"), _texts(row, "evidence")
    groups = row.get("answer_groups", [])
    if not isinstance(groups, list):
        raise ValueError('"answer_groups" must be a list of lists of texts')
    grouped = tuple(_texts({"answer_groups": group}, "answer_groups") for group in groups)
    relevant, spans = tuple(_places(row.get("relevant", []))), tuple(_spans(row.get("spans", [])))
    if not answerable and (relevant or answers or spans or groups or evidence):
        raise ValueError('"answerable" is false, so "relevant", "answers", "evidence" and "spans" must be empty')
    if answerable and not (relevant or answers or spans):
        raise ValueError('an answerable question needs "relevant", "answers" or "spans"')
    draft = _flag(row, "draft", default=False)
    return GoldenQuestion(line, question.strip(), answerable, relevant, answers, spans, draft, grouped, evidence)


def _texts(row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = row.get(key, [])
    if not isinstance(found, list) or not all(isinstance(text, str) and text.strip() for text in found):
        raise ValueError(f'"{key}" must be a list of texts, none of them empty')
    return tuple(found)


def _flag(row: Mapping[str, Any], key: str, *, default: bool) -> bool:
    value = row.get(key, default)
    if not isinstance(value, bool):
        raise ValueError(f'"{key}" must be true or false')
    return value


def _places(found: Any) -> Iterator[GoldPlace]:
    if isinstance(found, dict):
        found = [{"file": file, "grade": grade} for file, grade in found.items()]
    if not isinstance(found, list):
        raise ValueError('"relevant" must be a list of file names or of {"file", "page"}')
    for item in found:
        place = {"file": item} if isinstance(item, str) else item
        if not isinstance(place, dict) or place.keys() - {"file", "page", "pages", "grade"}:
            raise ValueError('"relevant" holds something other than a file name or {"file", "page"}')
        file, grade = place.get("file"), place.get("grade", 1)
        pages = place.get("pages", [place["page"]] if "page" in place else [])
        if not isinstance(file, str) or not file:
            raise ValueError('"relevant" holds a place without a "file"')
        if not isinstance(pages, list) or not all(_whole(page, 1) for page in pages):
            raise ValueError(f'pages of {file!r} in "relevant" must be whole numbers from 1')
        if not isinstance(grade, int | float) or isinstance(grade, bool) or grade <= 0:
            raise ValueError(f'the grade of {file!r} in "relevant" must be a number above 0')
        yield GoldPlace(file, tuple(pages), float(grade))


def _spans(found: Any) -> Iterator[GoldSpan]:
    if not isinstance(found, list):
        raise ValueError('"spans" must be a list of {"file", "start", "end"}')
    for item in found:
        if not isinstance(item, dict) or item.keys() != {"file", "start", "end"} or not isinstance(item["file"], str):
            raise ValueError('"spans" must hold objects with "file", "start" and "end"')
        if not _whole(item["start"], 0) or not _whole(item["end"], 1) or item["end"] <= item["start"]:
            raise ValueError(f'a span of {item["file"]!r} must have 0 <= "start" < "end"')
        yield GoldSpan(item["file"], item["start"], item["end"])


def _whole(value: Any, low: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= low
