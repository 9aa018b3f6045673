"""Drafts of golden questions: the chat model asks one question about each of some sampled chunks.

What the model says is kept only where the chunk bears it out: its quote, or else the sentence that holds its answer,
must stand in the chunk and becomes the gold span. A draft is marked as one, for people to read.
"""

from __future__ import annotations

import random
import re
import string
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.ports import ChatModel
from rag.text.language import sentences
from rag.types import Message, Passage

PROMPT = Path(__file__).parent / "prompts" / "draft.txt"
MAX_TOKENS = 200
# Shorter chunks are headings and remnants.
SHORTEST_CHUNK = 80
# Chunks tried per question wanted; small models miss about every third.
TRIES = 4
_FIELD = re.compile(r"^\W*(QUESTION|ANSWER|QUOTE)\W*?[:：]\s*(.+?)\s*$", re.MULTILINE | re.IGNORECASE)
_POINTS_AT_THE_TEXT = re.compile(
    r"\b(?:the|this|that|above|following|given|provided) (?:text|passage|document|section|excerpt|paragraph)\b"
    r"|(?:本文|该文|文中|文章|上文|这段|该段|该文档|本文档)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Said:
    """What the model wrote, by field; "" where it wrote none."""

    question: str
    answer: str
    quote: str


def sample(chunks: Sequence[Passage], *, seed: int) -> list[Passage]:
    """The chunks in a random order that takes one of each document before a second of any; the same for the same
    seed.
    """
    source = random.Random(seed)  # noqa: S311 - a sample, not a secret
    by_document: dict[str, list[Passage]] = defaultdict(list)
    for chunk in sorted(chunks, key=lambda chunk: (chunk.filename, chunk.char_start)):
        if len(chunk.text.strip()) >= SHORTEST_CHUNK:
            by_document[chunk.document_id].append(chunk)
    piles = list(by_document.values())
    source.shuffle(piles)
    for pile in piles:
        source.shuffle(pile)
    deepest = max((len(pile) for pile in piles), default=0)
    return [pile[depth] for depth in range(deepest) for pile in piles if depth < len(pile)]


def draft(chunks: Sequence[Passage], chat: ChatModel, *, count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Up to `count` golden lines, as they are written. Raises ChatUnavailableError."""
    template = string.Template(PROMPT.read_text(encoding="utf-8"))
    made = 0
    for chunk in sample(chunks, seed=seed)[: TRIES * count]:
        if made == count:
            return
        prompt = template.substitute(filename=chunk.filename, heading=chunk.heading or "-", text=chunk.text)
        written = "".join(delta.text for delta in chat.stream([Message("user", prompt)], max_tokens=MAX_TOKENS))
        if row := golden_row(chunk, parse(written)):
            made += 1
            yield row


def parse(written: str) -> Said:
    """The three fields of what the model wrote; the first of each counts."""
    found: dict[str, str] = {}
    for name, value in _FIELD.findall(written):
        found.setdefault(name.upper(), value.strip().strip("\"“”'`*").strip())
    return Said(found.get("QUESTION", ""), found.get("ANSWER", ""), found.get("QUOTE", ""))


def golden_row(chunk: Passage, said: Said) -> dict[str, Any] | None:
    """The golden line of a chunk, or None where the chunk does not bear out what was said."""
    if len(said.question) < 6 or said.question[-1] not in "?？" or _POINTS_AT_THE_TEXT.search(said.question):
        return None
    answer = find(chunk.text, said.answer)
    quote = find(chunk.text, said.quote) or (answer and _sentence_around(chunk.text, *answer))
    if quote is None:
        return None
    place: dict[str, Any] = {"file": chunk.filename}
    if chunk.page:
        place["page"] = chunk.page
        if chunk.page_end and chunk.page_end > chunk.page:
            place["pages"] = list(range(chunk.page, chunk.page_end + 1))
    return {
        "question": said.question,
        "answerable": True,
        "relevant": [place if chunk.page else chunk.filename],
        "answers": [chunk.text[answer[0] : answer[1]]] if answer else [],
        "spans": [{"file": chunk.filename, "start": chunk.char_start + quote[0], "end": chunk.char_start + quote[1]}],
        "draft": True,
    }


def find(text: str, wanted: str) -> tuple[int, int] | None:
    """Where a string stands in a text, white space and case aside; None if it does not or is empty."""
    if not wanted.strip():
        return None
    pattern = r"\s+".join(re.escape(word) for word in wanted.split())
    # "art" must not be found in "party"; between Chinese characters there are no such edges
    before = r"(?<![A-Za-z0-9])" if re.match(r"\s*[A-Za-z0-9]", wanted) else ""
    after = r"(?![A-Za-z0-9])" if re.search(r"[A-Za-z0-9]\s*$", wanted) else ""
    found = re.search(before + pattern + after, text, re.IGNORECASE)
    return found.span() if found else None


def _sentence_around(text: str, start: int, end: int) -> tuple[int, int] | None:
    return next(((first, last) for first, last in sentences(text) if first <= start and end <= last), None)
