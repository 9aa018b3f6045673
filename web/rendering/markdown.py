"""Markdown as parts whose every character knows where it stands in the source.

Owns the parser and the way back from its tokens, which tell lines, to characters. A block for which there is no way
back is kept as it was written. HTML and pictures remain the characters they are written with; so do definitions of
links. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate

from markdown_it.token import Token

from web.rendering.markdown_parser import parser_of
from web.rendering.markup import Cite, Element, Part, Run, places_of

_TAGS = {
    "bullet_list": "ul",
    "ordered_list": "ol",
    "list_item": "li",
    "blockquote": "blockquote",
    "table": "table",
    "thead": "thead",
    "tbody": "tbody",
    "tr": "tr",
    "th": "th",
    "td": "td",
}
_BREAKS = ("softbreak", "hardbreak")
_ABSOLUTE = re.compile(r"(?:https?://|mailto:)\S+$", re.IGNORECASE)
_BARE = re.compile(
    r"https?://[^\s<>\"'`|\u3000-\u303f\uff00-\uffef]*[^\s<>\"'`|.,;:!?)\]\u3000-\u303f\uff00-\uffef]", re.IGNORECASE
)
_WIDE = re.compile(r"[\u2e80-\uffef]")  # scripts that put no blank where a line is broken
_BLANKS = " \t"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a text is read.

    Attributes:
        shift: levels that its headings go down, so that the page's own stand above them.
        cited: numbers whose marks are citations.
        breaks: whether the end of a line is one, as people and models write to each other.
        indented_code: whether four blanks make code; models indent what belongs to a step of a list.
        leads: whether links can be followed; else it is told where they lead.
        lists_only: of blocks, as in reStructuredText, where hashes and fences mean nothing.
    """

    shift: int
    cited: frozenset[int] = frozenset()
    breaks: bool = False
    indented_code: bool = True
    leads: bool = False
    lists_only: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A block that stands in no other: characters [start, end) of the source; its parts are made when they are
    wanted.
    """

    start: int
    end: int
    parts: Callable[[], list[Part]]


class _UnmappableError(Exception):
    """Some text of a block was not found where it should stand in the source."""


def blocks_of(text: str, dialect: Dialect, *, places: Sequence[int] | None = None) -> list[Block]:
    """The blocks of a Markdown text. `places`: where its characters stand, if not where they are."""
    lines = text.split("\n")
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    reader = _Reader(text, lines, starts, dialect, places or range(len(text)))
    tokens = reader.parser.parse(text, {"cited": dialect.cited})
    return list(_outermost(tokens, reader, starts, len(text)))


def _outermost(tokens: Sequence[Token], reader: _Reader, starts: Sequence[int], length: int) -> Iterator[Block]:
    depth, begun = 0, 0
    for index, token in enumerate(tokens):
        if depth == 0:
            begun = index
        depth += token.nesting
        if depth == 0 and (lines := tokens[begun].map):
            start, end = starts[lines[0]], min(starts[lines[1]], length)
            yield Block(start, end, partial(reader.block, tokens[begun : index + 1], start, end))


class _Reader:
    """Makes parts of the parser's tokens."""

    def __init__(
        self, text: str, lines: Sequence[str], starts: Sequence[int], dialect: Dialect, places: Sequence[int]
    ) -> None:
        self._text = text
        self._lines = lines
        self._starts = starts
        self._dialect = dialect
        self._places = places
        self.parser = parser_of(dialect.indented_code, not dialect.breaks, dialect.lists_only)

    def block(self, tokens: Sequence[Token], start: int, end: int) -> list[Part]:
        """The parts of one outermost block, or the block as it was written."""
        try:
            return self._nested(tokens)
        except _UnmappableError:
            text = self._text[start:end].rstrip("\n")
            return [Element("p", [Run(text, self._real(range(start, start + len(text))))], {"plain": True})]

    def _real(self, offsets: Sequence[int]) -> list[int]:
        return [self._places[offset] for offset in offsets]

    def _nested(self, tokens: Sequence[Token]) -> list[Part]:
        stack = [Element("", [])]
        row, cell_from = -1, 0  # the line of the table's row, and where in it the next cell is looked for
        for token in tokens:
            if token.nesting == 1:
                element = self._element(token)
                stack[-1].children.append(element)
                stack.append(element)
            elif token.nesting == -1:
                stack.pop()
            elif token.type == "inline":
                assert token.map is not None
                if stack[-1].tag in ("th", "td"):
                    row, cell_from = token.map[0], cell_from if token.map[0] == row else 0
                    offsets, cell_from = self._cell(token.content, row, cell_from)
                else:
                    offsets = self._paragraph(token)
                stack[-1].children.extend(self.inline(token.content, offsets))
            elif token.type in ("fence", "code_block"):
                stack[-1].children.append(self._code(token))
            elif token.type == "hr":
                stack[-1].children.append(Element("hr", []))
            else:
                raise _UnmappableError(token.type)
        return stack[0].children

    def _element(self, token: Token) -> Element:
        kind = token.type.removesuffix("_open")
        if kind == "heading":
            return Element(f"h{min(int(token.tag[1]) + self._dialect.shift, 6)}", [])
        if kind == "paragraph":
            return Element("span" if token.hidden else "p", [])  # hidden: of a list without space between its items
        start = token.attrGet("start")
        return Element(_TAGS[kind], [], {} if start is None else {"start": int(start)})

    def _paragraph(self, token: Token) -> list[int]:
        """The source offset of each character of a paragraph's or heading's text."""
        assert token.map is not None
        first = self._lines[token.map[0]] if token.map[0] < len(self._lines) else ""
        if "\n" not in token.content and token.content and not first.rstrip(_BLANKS).endswith(token.content):
            at = first.find(token.content, first.find("#"))  # a heading that is closed by hashes
            if at < 0:
                raise _UnmappableError
            return list(range(self._starts[token.map[0]] + at, self._starts[token.map[0]] + at + len(token.content)))
        return self._indented(token.content, token.map[0])

    def _indented(self, content: str, line: int) -> list[int]:
        """The source offsets of lines of which only something before them is missing."""
        offsets: list[int] = []
        for number, text in enumerate(content.split("\n"), line):
            source = self._lines[number] if number < len(self._lines) else ""
            words = text.strip(_BLANKS)
            end = len(source.rstrip(_BLANKS))
            if not source[:end].endswith(words):
                raise _UnmappableError
            begin = self._starts[min(number, len(self._lines) - 1)] + (end - len(words) if words else 0)
            lead = len(text) - len(text.lstrip(_BLANKS)) if words else 0
            offsets += [max(begin - lead + at, self._starts[number]) for at in range(len(text) + 1)]
        return offsets[:-1]

    def _cell(self, content: str, row: int, begin: int) -> tuple[list[int], int]:
        """The source offsets of a cell's text, and where the next cell is looked for. A pipe in it is written \\|."""
        line, start = self._lines[row], self._starts[row]
        if not content:
            following = line.find("|", line.find("|", begin) + 1) if begin == 0 else line.find("|", begin + 1)
            return [], begin if following < 0 else following
        at = line.find(content.replace("|", "\\|"), begin)
        if at < 0 or (begin and line[begin:at].strip(" \t|")):
            raise _UnmappableError
        offsets = []
        for character in content:
            at += line.startswith("\\|", at) and character == "|"
            offsets.append(start + at)
            at += 1
        return offsets, at

    def _code(self, token: Token) -> Element:
        assert token.map is not None
        text = token.content.removesuffix("\n")
        offsets = self._indented(text, token.map[0] + (token.type == "fence")) if text else []
        also = {"language": word[:30]} if (word := token.info.strip().split(" ")[0]) else {}
        return Element("pre", [Element("code", [self._run(text, offsets)])], also)

    def _run(self, text: str, offsets: Sequence[int], *, checked: bool = True) -> Run:
        if checked and any(
            self._text[at] != character and character not in " \t\n"
            for character, at in zip(text, offsets, strict=True)
        ):
            raise _UnmappableError
        return Run(text, self._real(offsets))

    def inline(self, content: str, offsets: Sequence[int]) -> list[Part]:
        """The parts of a paragraph's text, whose characters stand at `offsets`."""
        tokens = self.parser.inline.parse(content, self.parser, {"cited": self._dialect.cited}, [])
        stars = _literal_stars(tokens, content)
        stack = [Element("", [])]
        for index, token in enumerate(tokens):
            if index in stars:
                stack[-1].children.append(self._run(token.markup, offsets[token.meta["at"] :][: len(token.markup)]))
            elif token.nesting == 1:
                element = Element(token.tag, [], {"href": str(token.attrGet("href"))} if token.tag == "a" else {})
                stack[-1].children.append(element)
                stack.append(element)
            elif token.nesting == -1:
                closed = stack.pop()
                if token.type == "link_close":
                    end = tokens[index + 1].meta["at"] if index + 1 < len(tokens) else len(content)
                    stack[-1].children[-1:] = self._link(closed, content, offsets, token.meta["at"], end)
            else:
                stack[-1].children.extend(self._leaf(token, content, offsets, linked=stack[-1].tag == "a"))
        return stack[0].children

    def _leaf(self, token: Token, content: str, offsets: Sequence[int], *, linked: bool) -> Iterator[Part]:
        at, text = token.meta["at"], token.content
        if token.type == "cite":
            yield Cite(int(text), self._places[offsets[at]])
        elif token.type in _BREAKS:
            yield from self._line_end(token, content, offsets)
        elif token.type == "code_inline":
            at += len(token.markup)
            at += content[at : at + len(text)].replace("\n", " ") != text  # one blank on each side is not part of it
            yield Element("code", [self._run(text, offsets[at : at + len(text)])])
        elif token.type == "text_special" and token.info == "entity":
            yield self._run(text, [offsets[at]] * len(text), checked=False)
        elif token.type == "text_special":
            at += len(token.markup) - len(text)
            yield self._run(text, offsets[at : at + len(text)])
        elif token.type == "text" and text:
            run = self._run(text, offsets[at : at + len(text)])
            yield from _with_addresses(run) if self._dialect.leads and not linked else [run]

    def _line_end(self, token: Token, content: str, offsets: Sequence[int]) -> Iterator[Part]:
        at = token.meta["at"]
        if token.type == "hardbreak" or self._dialect.breaks:
            yield Element("br", [])
        elif not (_WIDE.match(content[at - 1 : at]) and _WIDE.match(content[at + 1 :].lstrip()[:1])):
            yield Run(" ", [self._places[offsets[at]]])

    def _link(self, label: Element, content: str, offsets: Sequence[int], closing: int, end: int) -> list[Part]:
        """A link that can be followed, or its label and where it leads, or what was written."""
        if not content.startswith("](", closing):
            raise _UnmappableError
        absolute = _ABSOLUTE.match(label.also["href"])
        if self._dialect.leads and absolute:
            return [label]
        if self._dialect.leads:
            first = min(places_of(label.children), default=self._places[offsets[closing]])
            return [Run("[", [first]), *label.children, self._run(content[closing:end], offsets[closing:end])]
        address = self._run(content[closing + 1 : end], offsets[closing + 1 : end])
        shown = Element("span", [address], {"kind": "address"}, aside=not absolute)
        return [Element("span", label.children, {"kind": "link"}), shown]


def _literal_stars(tokens: Sequence[Token], content: str) -> set[int]:
    """Indices of tokens of emphasis that begins or ends inside a word, such as 2*3*4: these are stars."""
    found: set[int] = set()
    opened: list[int] = []
    for index, token in enumerate(tokens):
        if token.type == "em_open":
            opened.append(index)
        elif token.type == "em_close":
            first = opened.pop()
            before, after = tokens[first].meta["at"] - 1, token.meta["at"] + 1
            if (before >= 0 and content[before].isalnum()) or content[after : after + 1].isalnum():
                found |= {first, index}
    return found


def _with_addresses(run: Run) -> Iterator[Part]:
    """A text in which addresses of the web can be followed."""
    at = 0
    for found in _BARE.finditer(run.text):
        if found.start() > at:
            yield Run(run.text[at : found.start()], run.places[at : found.start()])
        yield Element("a", [Run(found[0], run.places[found.start() : found.end()])], {"href": found[0]})
        at = found.end()
    if at < len(run.text):
        yield Run(run.text[at:], run.places[at:])
