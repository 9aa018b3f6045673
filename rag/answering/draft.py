"""A model's text as it streams: what may be shown already, and each part of it that is complete and can be checked.

A part is a sentence, an item of a list, a row of a table, or a whole piece of fenced code. Pure; knows marks, and nothing of evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.answering.citations import INLINE_CODE, MARK, MarkedText, replace_marks, strip_marks, without_marks
from rag.text.language import sentences

_S = r"\s{0,40}"
_SOURCE = r"(?:sources?|来源|资料|出处)"
# A text that may still become a mark, or more of one, when more of it arrives.
_OPEN_MARK = re.compile(
    rf"(?:{_S}[(（](?:{_S}(?:[a-z]{{1,7}}|[来源资料出处参见]{{1,3}}))?(?:{_S}[:：])?(?:{_S}[\[【][^()（）\n]{{0,80}})?|{_S},{_S}(?:\b(?:a|as(?: [a-z]*){{0,5}}))?)?"
    rf"(?:(?<=[\]】]){_S}(?:[,，、;&]{_S})?(?:and?|an?|or?|和|及|与)?)?{_S}"
    rf"(?:(?:\b(?:s|so|sou|sour|sourc|sources?)|(?:数据?|信息?|参考?)?(?:来源?|资料?|出处?)?)(?:[:：]{_S})?)?"
    rf"(?:[\[【](?:[^\]】\n]{{0,24}}|{_S}(?:[a-z]+|来源|资料|出处)?[\d\s,，、;]{{0,80}}))?$",
    re.IGNORECASE,
)


# A line that begins or ends fenced code, and a last line that may still become one.
_FENCE = re.compile(r"(?m)^[ \t]{0,12}(`{3,}|~{3,})[^\n`]*\n")
_MAY_FENCE = re.compile(r"(?:^|\n)[ \t]{0,12}(?:`[^\n]*|~[^\n]*)?$")


class Draft:
    """Follows a model's Markdown as it streams. Fenced code is shown line by line and comes as one part, marks or no marks in it."""

    def __init__(self) -> None:
        self._prose = _Prose()
        self._waiting = ""  # what may still become a fence, or a line of code under way
        self._line_begins = True  # `_waiting` stands at the beginning of a line
        self._fence = ""
        self._code = ""

    def feed(self, piece: str) -> Iterator[str | MarkedText]:
        """Text to show (str) and parts that are complete (MarkedText, all of it shown before)."""
        self._waiting += piece
        before = None
        while self._fence != before:
            before = self._fence
            yield from self._within() if before else self._outside()

    def finish(self) -> Iterator[str | MarkedText]:
        """The rest, when no more text will come."""
        if self._fence:
            if self._waiting:
                yield self._waiting
            yield MarkedText(self._code + self._waiting, ())
        else:
            yield from self._prose.feed(self._waiting)
        yield from self._prose.finish()
        self._waiting = self._fence = self._code = ""

    def _outside(self) -> Iterator[str | MarkedText]:
        line_end = self._waiting.find("\n")
        line_end = 0 if self._line_begins else line_end if line_end >= 0 else len(self._waiting)
        fence = _FENCE.search(self._waiting, line_end)
        if fence is None:
            held = _MAY_FENCE.search(self._waiting, line_end)
            safe = held.start() if held else len(self._waiting)
            if safe:
                self._line_begins = self._waiting[:safe].endswith("\n")
            yield from self._prose.feed(self._waiting[:safe])
            self._waiting = self._waiting[safe:]
            return
        yield from self._prose.feed(self._waiting[: fence.start()])
        yield from self._prose.finish()
        self._fence, self._code = fence[1], self._prose.blank() + fence.group()
        self._waiting = self._waiting[fence.end() :]
        yield self._code

    def _within(self) -> Iterator[str | MarkedText]:
        while (end := self._waiting.find("\n")) >= 0:
            line, self._waiting = self._waiting[: end + 1], self._waiting[end + 1 :]
            self._code += line
            yield line
            if _closes(line, self._fence):
                yield MarkedText(self._code, ())
                self._fence = self._code = ""
                self._line_begins = True
                return


def _closes(line: str, fence: str) -> bool:
    said = line.strip()
    return said.startswith(fence) and not said.strip(fence[0])


class _Prose:
    """Follows text without fenced code: what may be shown already, and each sentence once it is complete.

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
        safe = safe[: _open_code(safe)]
        yield from self._show(without_marks(safe[: _open_mark(safe)]))

    def finish(self) -> Iterator[str | MarkedText]:
        """The rest, when no more text will come."""
        while self._buffer.strip():
            spans = sentences(self._blanked())
            end = spans[0][1] if spans else len(self._buffer)
            while match := MARK.match(self._buffer, end):
                end = match.end()
            yield from self._close(end)

    def blank(self) -> str:
        """The white space that is left once all else is complete; it is given away."""
        blank, self._buffer = self._buffer, ""
        return blank

    def _blanked(self) -> str:
        # the same length, so that positions hold; blanks, so that a full stop before a mark ends its sentence
        return replace_marks(self._buffer, lambda match: " " * len(match.group()))

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


def _open_code(text: str) -> int:
    """Where, in the last line, code between backticks begins that is not closed yet; the text's length if there is none."""
    line = text.rfind("\n") + 1
    at = INLINE_CODE.sub(lambda code: " " * len(code.group()), text[line:]).find("`")
    return line + at if at >= 0 else len(text)
