"""reStructuredText, as its reader keeps it, as parts that know where they stand.

Its reader has made plain lines of headings and rows of tables (ingest/readers/markup/rst.py). Owns what is left:
literal blocks, which end where the indentation does, and lists with literals and strong words in them. Directives other
than of code stay as they are written. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from web.rendering.markdown import Block, Dialect, blocks_of
from web.rendering.markup import Element, Run

_DIALECT = Dialect(shift=1, indented_code=False, lists_only=True)
_CODE = re.compile(r"[ \t]*\.\. (?:code|code-block|sourcecode|parsed-literal)::[ \t]*([\w.+#-]*)(?:\n[ \t]+:.*)*$")
_DIRECTIVE = re.compile(r"[ \t]*\.\. \S")


def restructured_blocks(text: str, places: Sequence[int]) -> list[Block]:
    """The blocks of a text without headings and tables, whose characters stand at `places`."""
    return list(_blocks(text, places))


def _blocks(text: str, places: Sequence[int]) -> Iterator[Block]:
    begun, at = 0, 0
    margin = -1  # the indentation that a literal block must exceed, or -1
    language = ""
    literal: tuple[int, int] | None = None
    for paragraph in re.split(r"(\n{2,})", text):
        words, end = paragraph.strip("\n"), at + len(paragraph)
        if words and 0 <= margin < _indentation(words):
            if literal is None:
                yield from _prose(text, begun, at, places)
            literal = (literal[0] if literal else at, end)
            begun = end
        elif words:
            if literal:
                yield _literal(text, *literal, places, language)
            literal = None
            directive = _CODE.match(words)
            margin = _indentation(words) if directive or _announces(words) else -1
            language = directive[1] if directive else ""
            if directive:
                yield from _prose(text, begun, at, places)
                begun = end
                yield _unseen(words, at, places)
        at = end
    if literal:
        yield _literal(text, *literal, places, language)
    yield from _prose(text, begun, len(text), places)


def _announces(words: str) -> bool:
    return words.endswith("::") and not _DIRECTIVE.match(words)


def _indentation(text: str) -> int:
    """Blanks before the line that has the fewest."""
    return min(len(line) - len(line.lstrip()) for line in text.split("\n") if line.strip())


def _literal(text: str, start: int, end: int, places: Sequence[int], language: str) -> Block:
    margin = _indentation(text[start:end])
    kept: list[int] = []
    at = start
    for line in text[start:end].split("\n"):
        kept += range(at + min(margin, len(line)), at + len(line) + 1)
        at += len(line) + 1
    kept.pop()
    code = Run("".join(text[offset] for offset in kept), [places[offset] for offset in kept])
    also = {"language": language[:30]} if language else {}
    return Block(start, end, lambda: [Element("pre", [Element("code", [code])], also)])


def _unseen(text: str, at: int, places: Sequence[int]) -> Block:
    """The words that announce code, shown only where they are cited."""
    element = Element("p", [Run(text, places[at : at + len(text)])], aside=True)
    return Block(at, at + len(text), lambda: [element])


def _prose(text: str, start: int, end: int, places: Sequence[int]) -> Iterator[Block]:
    for block in blocks_of(text[start:end], _DIALECT, places=places[start:end]):
        yield Block(block.start + start, block.end + start, block.parts)
