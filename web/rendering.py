"""An answer's Markdown as a tree of harmless nodes, with its citations and verdicts where they stand.

Owns which markup an answer may have: paragraphs, lists, tables, headings, code, strong and line breaks. HTML, links and
images of an answer are shown as the characters they are written with, so nothing in it can lead, load or run. The page
builds elements from the tree and never parses markup. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

Node = str | dict[str, Any]
"""A text; {"tag", "children"}; {"cite": n}; or {"verdict": its word}."""

_TRAILING_MARKS = re.compile(r"(?:[ \t]*\[\d{1,3}\])+")
# Where a sentence ends, in the text that the parser sees. Brackets, because these are punctuation to Markdown's rules.
_ENDS = re.compile(r"⁅(\d+)⁆")
_PIECES = re.compile(r"\[(\d{1,3})\]|⁅(\d+)⁆")
_TAGS = {
    "paragraph": "p",
    "bullet_list": "ul",
    "ordered_list": "ol",
    "list_item": "li",
    "blockquote": "blockquote",
    "strong": "strong",
    "table": "table",
    "thead": "thead",
    "tbody": "tbody",
    "tr": "tr",
    "th": "th",
    "td": "td",
}
_HEADING_SHIFT = 2  # the page's own headings end at the second level


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    return parser.disable(["link", "image", "autolink", "reference", "html_block", "html_inline", "code", "lheading"])


def tree_of(text: str, ends: Sequence[tuple[int, str]], cited: Sequence[int]) -> list[Node]:
    """The nodes of an answer.

    Args:
        text: the answer, as Markdown.
        ends: (end offset, verdict) of its sentences, ascending; marks such as [1] behind an end belong to it.
        cited: the numbers that have a citation; other brackets remain text.
    """
    marked, at = [], 0
    for number, (end, _) in enumerate(ends):
        end = max(end, at)
        if trailing := _TRAILING_MARKS.match(text, end):
            end = trailing.end()
        marked += [_plain(text[at:end]), f"⁅{number}⁆"]
        at = end
    marked.append(_plain(text[at:]))
    tokens = _parser().parse("".join(marked))
    return list(_Builder([verdict for _, verdict in ends], frozenset(cited)).nodes(tokens))


def _plain(text: str) -> str:
    return text.replace("⁅", "[").replace("⁆", "]")


class _Builder:
    """Turns the parser's tokens, which open and close, into nodes."""

    def __init__(self, verdicts: Sequence[str], cited: frozenset[int]) -> None:
        self._verdicts = verdicts
        self._cited = cited

    def nodes(self, tokens: Sequence[Token]) -> list[Node]:
        """The nodes of a sequence of tokens that is balanced."""
        top: list[Node] = []
        stack = [top]
        for token in tokens:
            kind, _, turn = token.type.rpartition("_")
            tag = self._tag(kind, token)
            if turn == "open" and tag:
                node: dict[str, Any] = {"tag": tag, "children": []}
                if (start := token.attrGet("start")) is not None:
                    node["start"] = int(start)
                stack[-1].append(node)
                stack.append(node["children"])
            elif turn == "close" and tag:
                stack.pop()
            else:
                stack[-1] += self._leaf(token)
        return top

    def _tag(self, kind: str, token: Token) -> str | None:
        if kind == "heading":
            return f"h{min(int(token.tag[1]) + _HEADING_SHIFT, 6)}"
        if kind == "paragraph" and token.hidden:
            return "span"  # of a list whose items have no space between them
        return _TAGS.get(kind)

    def _leaf(self, token: Token) -> list[Node]:
        if token.type == "inline":
            return self.nodes(token.children or [])
        if token.type == "text":
            return list(self._pieces(token.content))
        if token.type in ("softbreak", "hardbreak"):
            return [{"tag": "br", "children": []}]
        if token.type in ("code_inline", "fence"):
            return self._code(token)
        if token.type == "hr":
            return [{"tag": "hr", "children": []}]
        # single stars stand for themselves: 2*3*4 is no emphasis
        return [token.markup] if token.markup else []

    def _code(self, token: Token) -> list[Node]:
        """Code as it was written; verdicts of sentences that end in it stand behind it."""
        code: Node = {"tag": "code", "children": [_ENDS.sub("", token.content)]}
        ends: list[Node] = [{"verdict": self._verdicts[int(number)]} for number in _ENDS.findall(token.content)]
        return [{"tag": "pre", "children": [code]} if token.type == "fence" else code, *ends]

    def _pieces(self, text: str) -> Iterator[Node]:
        at = 0
        for found in _PIECES.finditer(text):
            number, end = found.groups()
            if number is not None and int(number) not in self._cited:
                continue
            if found.start() > at:
                yield text[at : found.start()]
            yield {"cite": int(number)} if number is not None else {"verdict": self._verdicts[int(end)]}
            at = found.end()
        if at < len(text):
            yield text[at:]
