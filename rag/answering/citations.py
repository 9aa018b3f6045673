"""Marks to spans: finds `[n]` in a model's text, and renumbers them so that each cited span has one number.

Pure. The model's numbers are those of the evidence it was shown; a reader's numbers run from 1 in order of appearance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rag.text.control_tokens import without_control_tokens
from rag.types import Citation, Evidence, PageSpan

# [1], [1, 2], 【3】, [Source 4]: what small models write for a mark. White space has a limit, for a model may write nothing else.
_S = r"\s{0,40}"
_SOURCE = r"(?:sources?|来源|资料|出处)"
_ONE = rf"[\[【]{_S}(?:{_SOURCE}{_S})?\d{{1,9}}(?:{_S}[,，、;]{_S}\d{{1,9}})*{_S}[\]】]"
# Several of them, with what stands between: "[1], [2] and [3]"
_RUN = rf"{_ONE}(?:{_S}(?:[,，、;&]{_S})?(?:and\b|or\b|和|及|与)?{_S}{_ONE})*"
# Behind a whole sentence, "Sources: [1], [2]." says nothing but its marks, and has a full stop too many.
_ENDED = r"(?<=[.!?。！？；…\n”’」』）)\]】\"'])"
_LEAD = rf"(?:数据|信息|参考)?{_SOURCE}[:：]"
# ", as stated in source [1]", "(see [2])": words that only carry the mark.
_REPORTED = "(?:stated|described|mentioned|noted|shown|quoted|reported|outlined|listed|explained|specified|indicated|discussed|defined|detailed|seen)"
_AS = rf"{_S},{_S}\bas (?:also |was |is )?{_REPORTED} (?:in|by) (?:the )?(?:sources? ?)?"
_BRACKET = rf"{_S}[(（]{_S}(?:(?:see|from|参?见|{_SOURCE}){_S}[:：]?{_S})?{_RUN}{_S}[)）]"
MARK = re.compile(
    rf"{_S}(?<=[.!?。！？…]){_S}(?:{_LEAD}{_S})?{_RUN}[.。]?|(?:{_S}{_ENDED}|^){_S}{_LEAD}{_S}{_RUN}|{_BRACKET}|(?:{_AS})?{_S}{_RUN}",
    re.IGNORECASE,
)
# A piece of code within a line.
INLINE_CODE = re.compile(r"(?<!`)(`{1,2})(?!`)[^\n]*?(?<!`)\1(?!`)")
# A mark behind such words can only stand for a noun.
_WANTS_NOUN = re.compile(r"(?:\b(?:according to|based on|see|per)|根据|依据|按照|参见)$", re.IGNORECASE)
# What a reader or a model may take for a mark in a document.
FORGED = re.compile(rf"[\[【［〔]\s*(?:{_SOURCE}\s*)?\d{{1,9}}(?:\s*[,，、;]\s*\d{{1,9}})*\s*[\]】］〕]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A piece of an answer without its marks, and the evidence numbers that stood behind it."""

    text: str
    marks: tuple[int, ...]


def strip_marks(text: str) -> MarkedText:
    """The text without marks, and the numbers of all of them in order, each once."""
    numbers = [int(number) for match in marks_in(text) for number in re.findall(r"\d+", match.group())]
    return MarkedText(without_marks(text), tuple(dict.fromkeys(numbers)))


def without_marks(text: str) -> str:
    """What a reader sees of a text with marks."""
    return replace_marks(text, _reads)


def replace_marks(text: str, by: Callable[[re.Match[str]], str]) -> str:
    """The text with something else in the place of each mark."""
    found, at = [], 0
    for match in marks_in(text):
        found += [text[at : match.start()], by(match)]
        at = match.end()
    return "".join([*found, text[at:]])


def marks_in(text: str) -> Iterator[re.Match[str]]:
    """The marks of a text. What stands in code between backticks is none: `rows[0]` is not a source."""
    code = [match.span() for match in INLINE_CODE.finditer(text)]
    at = 0
    while match := MARK.search(text, at):
        inside = next((end for start, end in code if start < match.end() and match.start() < end), None)
        if inside is None:
            yield match
            at = match.end()
        else:
            at = max(inside, match.start() + 1)


def _reads(mark: re.Match[str]) -> str:
    """What a reader sees for a mark: nothing, but for one that stands for a noun."""
    if mark.group().lstrip()[:1] not in "[【" or not (before := _WANTS_NOUN.search(mark.string[: mark.start()])):
        return ""
    return " the sources" if before.group().isascii() else "资料"


def unmark(text: str) -> str:
    """A document's text without anything that a reader would take for one of our marks: `[7]` becomes `(7)`; and without
    what a chat model would take for the turn of another speaker: `<|im_start|>` becomes `< |im_start| >`.
    """
    return FORGED.sub(lambda match: f"({match.group().strip()[1:-1].strip()})", without_control_tokens(text))


class CitationList:
    """Citations in order of first use. The same span always gets the same number."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int, int], Citation] = {}

    def cite(self, evidence: Evidence, start: int, end: int, pages: Sequence[PageSpan]) -> tuple[Citation, bool]:
        """The citation of document characters [start, end) of this evidence, and whether it is new.

        `pages` are those of its document.
        """
        passage = evidence.passage
        on = [page.number for page in pages if page.start < end and start < page.end]
        key = (passage.document_id, start, end)
        if key in self._found:
            return self._found[key], False
        citation = Citation(
            n=len(self._found) + 1,
            document_id=passage.document_id,
            filename=passage.filename,
            page=on[0] if on else None,
            page_end=on[-1] if on else None,
            char_start=start,
            char_end=end,
            quote=passage.between(start, end),
            content_sha256=passage.content_sha256,
            score=evidence.score,
        )
        self._found[key] = citation
        return citation, True

    def holds(self, document_id: str, start: int, end: int) -> bool:
        """Whether anything of characters [start, end) of a document is cited."""
        return any(
            cited.document_id == document_id and cited.char_start < end and start < cited.char_end
            for cited in self._found.values()
        )

    def all(self) -> tuple[Citation, ...]:
        """Every citation, by number."""
        return tuple(self._found.values())
