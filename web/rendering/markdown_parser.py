"""The Markdown parser, taught to say where in its text each token begins and to see citations.

Owns which rules are on. Tokens tell their lines by themselves; `token.meta["at"]` is what is added here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

_MARK = re.compile(r"\[(\d{1,3})\]")


class _State(StateInline):
    """Notes where in its text each token begins: `token.meta["at"]`."""

    def __init__(self, src: str, md: MarkdownIt, env: Any, tokens: list[Token]) -> None:
        super().__init__(src, md, env, tokens)
        self._begun = 0
        self._pushed = (-1, 0)

    def append_pending(self, text: str) -> None:
        if not self.pending:
            self._begun = self.pos
        super().append_pending(text)

    def pushPending(self) -> Token:  # the parser's name
        token = super().pushPending()
        token.meta["at"] = self._begun
        return token

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        token = super().push(ttype, tag, nesting)
        before, repeated = self._pushed
        # each star of a run of stars is pushed before the parser moves on
        repeated = repeated + 1 if ttype == "text" and before == self.pos else 0
        self._pushed = (self.pos, repeated)
        token.meta["at"] = self.pos + repeated
        return token


class _Inline(ParserInline):
    """The inline parser over `_State`."""

    def parse(self, src: str, md: MarkdownIt, env: Any, tokens: list[Token]) -> list[Token]:
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


def _cite(state: StateInline, silent: bool) -> bool:
    """[n] where n is cited, whatever follows it."""
    found = _MARK.match(state.src, state.pos, state.posMax)
    if not found or int(found[1]) not in state.env["cited"]:
        return False
    if not silent:
        state.push("cite", "", 0).content = found[1]
    state.pos = found.end()
    return True


@lru_cache(maxsize=8)
def parser_of(indented_code: bool, underlined: bool, lists_only: bool) -> MarkdownIt:
    """A parser: whether four blanks make code, a line below words a heading, and whether lists are the only blocks."""
    parser = MarkdownIt("commonmark", {"html": False})
    parser.inline = _Inline()
    parser.inline.ruler.enableOnly(["text", "newline", "escape", "backticks", "emphasis", "link", "entity"])
    parser.inline.ruler.before("link", "cite", _cite)
    parser.inline.ruler2.enableOnly(["balance_pairs", "emphasis"])
    parser.core.ruler.enableOnly(["block"])
    parser.block.ruler.enable(["table"])
    parser.block.ruler.disable(["reference", "html_block"])
    parser.block.ruler.disable([name for name, on in (("code", indented_code), ("lheading", underlined)) if not on])
    if lists_only:
        parser.block.ruler.enableOnly(["list", "paragraph"])
        parser.inline.ruler.disable(["link", "entity"])
    return parser
