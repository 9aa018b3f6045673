"""Passages and evidence made of plain texts, for the tests of what comes after retrieval."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rag.types import Evidence, Passage, Section

OFFSET = 1000
"""Where each passage begins in its document, so that passage and document offsets cannot be confused."""


def passage(text: str, *, name: str = "d", score: float = 0.5, dense: float | None = None, **more: Any) -> Passage:
    """A passage that is the only chunk of document `name`."""
    return Passage(
        chunk_id=f"{name}-0",
        document_id=name,
        filename=f"{name}.txt",
        collection="default",
        content_sha256="ab" * 32,
        char_start=OFFSET,
        char_end=OFFSET + len(text),
        text=text,
        page=None,
        page_end=None,
        heading=more.pop("heading", None),
        score=score,
        dense=dense,
    )


def section(found: Passage, around: str | None = None) -> Section:
    """The section of a passage; `around` is its whole text, which holds that of the passage, all of it one chunk."""
    if around is None:
        return Section(found, found, ((found.chunk_id, found.char_start),))
    start = found.char_start - around.index(found.text)
    wide = replace(found, char_start=start, char_end=start + len(around), text=around)
    return Section(found, wide, ((found.chunk_id, start),))


def evidence(n: int, text: str, **more: Any) -> Evidence:
    """A whole passage as evidence number `n`."""
    score = float(more.pop("worth", 0.5))
    found = passage(text, name=str(more.pop("name", f"d{n}")), **more)
    whole = found.char_start, found.char_end
    return Evidence(n, found, *whole, text, score, best=whole)
