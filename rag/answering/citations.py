"""Marks to spans: finds `[n]` in a model's text, and renumbers them so that each cited span has one number.

Pure. The model's numbers are those of the evidence it was shown; a reader's numbers run from 1 in order of appearance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.language import sentences
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
# A mark behind such words can only stand for a noun.
_WANTS_NOUN = re.compile(r"(?:\b(?:according to|based on|see|per)|根据|依据|按照|参见)$", re.IGNORECASE)
# What a reader or a model may take for a mark in a document.
FORGED = re.compile(rf"[\[【［〔]\s*(?:{_SOURCE}\s*)?\d{{1,9}}(?:\s*[,，、;]\s*\d{{1,9}})*\s*[\]】］〕]", re.IGNORECASE)
# A text that may still become a mark, or more of one, when more of it arrives.
_OPEN_MARK = re.compile(
    rf"(?:{_S}[(（](?:{_S}(?:[a-z]{{1,7}}|[来源资料出处参见]{{1,3}}))?(?:{_S}[:：])?(?:{_S}[\[【][^()（）\n]{{0,80}})?|{_S},{_S}(?:\b(?:a|as(?: [a-z]*){{0,5}}))?)?"
    rf"(?:(?<=[\]】]){_S}(?:[,，、;&]{_S})?(?:and?|an?|or?|和|及|与)?)?{_S}"
    rf"(?:(?:\b(?:s|so|sou|sour|sourc|sources?)|(?:数据?|信息?|参考?)?(?:来源?|资料?|出处?)?)(?:[:：]{_S})?)?"
    rf"(?:[\[【](?:[^\]】\n]{{0,24}}|{_S}(?:[a-z]+|来源|资料|出处)?[\d\s,，、;]{{0,80}}))?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A piece of an answer without its marks, and the evidence numbers that stood behind it."""

    text: str
    marks: tuple[int, ...]


def strip_marks(text: str) -> MarkedText:
    """The text without marks, and the numbers of all of them in order, each once."""
    numbers = [int(number) for match in MARK.finditer(text) for number in re.findall(r"\d+", match.group())]
    return MarkedText(_unmarked(text), tuple(dict.fromkeys(numbers)))


def _unmarked(text: str) -> str:
    return MARK.sub(_reads, text)


def _reads(mark: re.Match[str]) -> str:
    """What a reader sees for a mark: nothing, but for one that stands for a noun."""
    if mark.group().lstrip()[:1] not in "[【" or not (before := _WANTS_NOUN.search(mark.string[: mark.start()])):
        return ""
    return " the sources" if before.group().isascii() else "资料"


def unmark(text: str) -> str:
    """A document's text without anything that a reader would take for one of our marks: `[7]` becomes `(7)`."""
    return FORGED.sub(lambda match: f"({match.group().strip()[1:-1].strip()})", text)


class Draft:
    """Follows a model's text as it streams: what may be shown already, and each sentence once it is complete.

    Marks are never shown: a sentence comes with the marks that stood in or right behind it.
    """

    def __init__(self) -> None:
        self._buffer = ""  # the sentence under way, with its marks
        self._shown = 0  # characters of it, without marks, that were shown

    def feed(self, piece: str) -> Iterator[str | MarkedText]:
        """Text to show (str) and sentences that are complete (MarkedText, all of it shown before)."""
        self._buffer += piece
        spans = sentences(self._blanked())
        while (end := self._sentence_end(spans)) is not None:
            yield from self._close(end)
            spans = sentences(self._blanked())
        safe = self._buffer[: self._limit(spans)]
        yield from self._show(_unmarked(safe[: _open_mark(safe)]))

    def finish(self) -> Iterator[str | MarkedText]:
        """The rest, when no more text will come."""
        while self._buffer.strip():
            spans = sentences(self._blanked())
            end = spans[0][1] if spans else len(self._buffer)
            while match := MARK.match(self._buffer, end):
                end = match.end()
            yield from self._close(end)

    def _blanked(self) -> str:
        # the same length, so that positions hold; blanks, so that a full stop before a mark ends its sentence
        return MARK.sub(lambda match: " " * len(match.group()), self._buffer)

    def _limit(self, spans: list[tuple[int, int]]) -> int:
        """Where the text ends that certainly belongs to the sentence under way."""
        if not spans:
            return len(self._buffer)
        if len(spans) > 1:
            start, end = spans[0]
            return self._buffer.index("\n", start) if self._in_open_line(start, end) else end
        # a later line may turn out to be an item of a list or a row of a table, which ends the sentence before it
        line_end = self._buffer.find("\n", spans[0][0])
        return line_end if line_end >= 0 else len(self._buffer)

    def _in_open_line(self, start: int, end: int) -> bool:
        """Whether characters [start, end) reach from an earlier line into the last one of the buffer, which is not whole.

        Until it is whole it may turn out to be a row of a table, which ends the sentence before it.
        """
        line = self._buffer.rfind("\n", start, end) + 1
        return line > 0 and "\n" not in self._buffer[line:]

    def _sentence_end(self, spans: list[tuple[int, int]]) -> int | None:
        """Where the first sentence with its marks ends, once the start of the next one proves it."""
        if len(spans) < 2:
            return None
        start, end = spans[0]
        if self._in_open_line(start, end):
            return None
        while match := MARK.match(self._buffer, end):
            end = match.end()
        return None if _open_mark(self._buffer, end) == end else end

    def _close(self, end: int) -> Iterator[str | MarkedText]:
        sentence = strip_marks(self._buffer[:end])
        yield from self._show(sentence.text)
        yield sentence
        self._buffer = self._buffer[end:]
        self._shown = 0

    def _show(self, text: str) -> Iterator[str]:
        if len(text) > self._shown:
            yield text[self._shown :]
            self._shown = len(text)


def _open_mark(text: str, start: int = 0) -> int:
    """Where, from `start` on, white space or an unfinished mark at the end of the text begins; its length if there is none."""
    match = _OPEN_MARK.search(text, start)
    return match.start() if match else len(text)


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
