"""A text to blocks as a reader sees them: paragraphs, list items, rows of tables, pieces of code, headings. Pure.

Works on the text as it is stored, whatever its markup (Markdown, reStructuredText, the plain text of a PDF), so it goes by the look of
lines and never fails: what looks like nothing else is prose. Offsets are characters of the given text, half-open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from rag.text.language import sentences, trim

# Lines of code that stay together; a longer listing is cut there, between lines.
CODE_LINES = 30
# Characters of a paragraph or item that is shown whole or not at all; a longer one is cut between sentences into parts of about as much.
WHOLE = 420
# A lead-in longer than this is a paragraph of its own.
LEAD_IN = 300
_FENCE = re.compile(r" {0,12}(`{3,}|~{3,})")
_DIRECTIVE = re.compile(r" *\.\. (?:code-block|code|sourcecode|parsed-literal|prompt|tab|literalinclude)::")
_HEADING = re.compile(r" {0,3}#{1,6}\s+\S")
_ITEM = re.compile(r" *(?:[•–▪◦·‣●○]|[-*+](?=\s)|\(?\d{1,3}[.)、](?!\d)|[(（]\w{1,3}[)）])\s*\S")
_ROW = re.compile(r" *\|.*\||.* \| .* \| |.*\S \| \S")
_RULE = re.compile(r" *\|?[\s:|+=-]*[-=]{3,}[\s:|+=-]*\|?\s*$")
_INDENTED = re.compile(r"(?: {4,}|\t)\S")


class BlockKind(StrEnum):
    """What a block looks like."""

    PROSE = "prose"
    ITEM = "item"
    ROW = "row"
    CODE = "code"
    HEADING = "heading"


@dataclass(frozen=True, slots=True)
class Block:
    """Characters [start, end) of a text that are shown together.

    `lead` is where the line stands that a reader needs to understand it: the header row of its table, or the words that announce its list
    or code ("Run this:"); None where there is none.
    """

    kind: BlockKind
    start: int
    end: int
    lead: tuple[int, int] | None = None


def split_blocks(text: str) -> list[Block]:
    """The blocks of a text in order. They do not overlap and cover every character that is not white space."""
    return list(_led(text, [part for block in _scan(text) for part in _parted(text, block)]))


def _scan(text: str) -> Iterator[Block]:
    """Blocks as the lines show them, before long ones are cut."""
    lines = _lines(text)
    at = 0
    while at < len(lines):
        start, end = lines[at]
        line = text[start:end]
        if not line.strip():
            at += 1
            continue
        kind, until = _extent(text, lines, at)
        span = trim(text, start, lines[until - 1][1])
        # the indentation of code is part of it
        yield Block(kind, start if kind is BlockKind.CODE else span[0], span[1])
        at = until


def _lines(text: str) -> list[tuple[int, int]]:
    """Each line as (start, end), without its line end."""
    found, start = [], 0
    for line in text.split("\n"):
        found.append((start, start + len(line)))
        start += len(line) + 1
    return found


def _extent(text: str, lines: Sequence[tuple[int, int]], at: int) -> tuple[BlockKind, int]:
    """What begins at a line, and the line after its last one."""
    line = text[slice(*lines[at])]
    if fence := _FENCE.match(line):
        return BlockKind.CODE, _closing(text, lines, at, fence[1])
    if _DIRECTIVE.match(line):
        return BlockKind.CODE, _indented(text, lines, at + 1, _indent(line) + 1)
    if _HEADING.match(line):
        return BlockKind.HEADING, at + 1
    if _ROW.match(line) or _RULE.match(line):
        return BlockKind.ROW, at + 1
    if _ITEM.match(line):
        return BlockKind.ITEM, _item(text, lines, at)
    before = text[slice(*lines[at - 1])] if at else ""
    if _INDENTED.match(line) and not before.strip():
        return BlockKind.CODE, _indented(text, lines, at, _indent(line))
    until = at + 1
    while until < len(lines) and (following := text[slice(*lines[until])]).strip():
        if _FENCE.match(following) or _ITEM.match(following) or _ROW.match(following) or _HEADING.match(following):
            break
        until += 1
    return BlockKind.PROSE, until


def _closing(text: str, lines: Sequence[tuple[int, int]], at: int, fence: str) -> int:
    """The line after the one that closes a fence; the end where none does."""
    for until in range(at + 1, len(lines)):
        line = text[slice(*lines[until])].strip()
        if line.startswith(fence) and not line.strip(fence[0]):
            return until + 1
    return len(lines)


def _indented(text: str, lines: Sequence[tuple[int, int]], at: int, depth: int) -> int:
    """The line after the last one that is indented by `depth` and more; blank ones between them belong to them."""
    until = last = at
    while until < len(lines):
        line = text[slice(*lines[until])]
        if line.strip():
            if _indent(line) < depth:
                break
            last = until + 1
        until += 1
    return max(last, at)


def _item(text: str, lines: Sequence[tuple[int, int]], at: int) -> int:
    """The line after the last one of a list item: lines that go on without a blank one, and no item, row or fence of their own."""
    until = at + 1
    while until < len(lines) and (line := text[slice(*lines[until])]).strip():
        if _ITEM.match(line) or _FENCE.match(line) or _ROW.match(line) or _HEADING.match(line):
            break
        until += 1
    return until


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _parted(text: str, block: Block) -> Iterator[Block]:
    """A block, or the parts of one that is too long to be shown whole."""
    if block.kind is BlockKind.CODE:
        yield from _listing(text, block)
    elif block.kind in (BlockKind.PROSE, BlockKind.ITEM) and block.end - block.start > WHOLE:
        yield from _grouped(text, block)
    else:
        yield block


def _listing(text: str, block: Block) -> Iterator[Block]:
    lines = _lines(text[block.start : block.end])
    for first in range(0, len(lines), CODE_LINES):
        part = lines[first : first + CODE_LINES]
        start, end = block.start + part[0][0], block.start + part[-1][1]
        if text[start:end].strip():
            yield replace(block, start=start, end=end)


def _grouped(text: str, block: Block) -> Iterator[Block]:
    """Runs of sentences of about `WHOLE` characters each."""
    spans = [(block.start + a, block.start + b) for a, b in sentences(text[block.start : block.end])]
    parts = max(1, round((block.end - block.start) / WHOLE))
    aim = (block.end - block.start) / parts
    first = 0
    for i, (_, end) in enumerate(spans):
        if i + 1 == len(spans) or end - spans[first][0] + (spans[i + 1][1] - end) / 2 > aim:
            yield replace(block, start=spans[first][0], end=end)
            first = i + 1


def _led(text: str, blocks: Sequence[Block]) -> Iterator[Block]:
    """The blocks with what announces them."""
    lead: tuple[int, int] | None = None
    header: tuple[int, int] | None = None
    for before, block in zip([None, *blocks], blocks, strict=False):
        if block.kind is BlockKind.ROW:
            joined = (
                before is not None and before.kind is BlockKind.ROW and text[before.end : block.start].count("\n") == 1
            )
            if not joined:
                header = (block.start, block.end)
                yield block
            else:
                yield replace(block, lead=header)
            continue
        if block.kind is BlockKind.PROSE:
            said = text[block.start : block.end]
            announces = said.endswith((":", "：", "::")) and len(said) <= LEAD_IN
            lead = (block.start, block.end) if announces else None
            yield block
        elif block.kind is BlockKind.HEADING:
            lead = None
            yield block
        else:
            yield replace(block, lead=lead)
            if block.kind is BlockKind.CODE:
                lead = None
