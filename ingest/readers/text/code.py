"""Source code and configuration, kept as it is written, with its definitions as headings.

Owns the declared encodings of programs and the look of a definition in the languages that people use most. A definition that
is missed costs a heading, nothing else. Must not interpret, format or run anything.
"""

from __future__ import annotations

import re
from pathlib import Path

from ingest.readers.text.normalisation import TextBuilder, normalise
from ingest.readers.text.plain import decode
from rag.types import ParsedDocument

EXTENSIONS = tuple(
    ".py .pyi .pyw .js .mjs .cjs .jsx .ts .tsx .vue .svelte .java .kt .kts .scala .groovy .c .h .cc .cpp .cxx .hpp .hh .cs .fs .go"
    " .rs .rb .php .pl .pm .lua .r .jl .swift .m .mm .dart .ex .exs .erl .hs .ml .clj .lisp .el .vb .pas .f90 .asm .s .sql .sh"
    " .bash .zsh .fish .ps1 .bat .cmd .css .scss .less .xml .xsd .xsl .yaml .yml .toml .ini .cfg .conf .properties .gradle"
    " .cmake .mk .proto .graphql .tf .diff .patch .tex .bib .adoc".split()
)

_DECLARED = re.compile(rb"""(?:coding[:=]|encoding\s*=\s*["'])[ \t]*([-\w.]{2,40})""")
_MODIFIERS = (
    r"(?:(?:export|default|public|private|protected|internal|static|abstract|final|async|pub(?:\([\w:]+\))?|unsafe|extern|inline|"
    r"sealed|partial|data|open|override|suspend|declare|const)\s+)*"
)
_DEFINITION = re.compile(
    rf"^(?P<indent>[ \t]*)(?P<title>{_MODIFIERS}(?:class|interface|struct|enum|trait|impl|module|namespace|record|protocol|def|fn|func"
    r"|function|fun|sub|defmodule)\b[ \t]+(?:<[^>\n]*>[ \t]*)?(?:\([^)\n]*\)[ \t]*)?(?:[^\W\d]|\$)[\w$]*(?:(?:\.|::)[\w$]+)*[!?]?)",
    re.MULTILINE,
)
_TABLE = re.compile(
    r"^(?P<indent>)(?P<title>CREATE\s+(?:OR\s+REPLACE\s+)?(?:\w+\s+)?(?:TABLE|VIEW|FUNCTION|PROCEDURE|TRIGGER)\s+(?:IF\s+NOT\s+EXISTS\s+)?[\w.\"`\[\]]+)",
    re.MULTILINE | re.IGNORECASE,
)
_SECTION = re.compile(
    r"^(?P<indent>)(?:\\(?P<depth>(?:sub)*)section\*?\{|(?P<marks>={2,5}) )(?P<title>[^}\n]+)", re.MULTILINE
)
_MAX_HEADINGS = 5000


def read(path: Path) -> ParsedDocument:
    """Read a program. Raises UnsupportedTypeError for binary data."""
    data = path.read_bytes()
    declared = _DECLARED.search(data[:500])
    text = normalise(decode(data, declared=declared[1].decode("ascii") if declared else None)[0])
    builder = TextBuilder()
    builder.add_block(text)
    for level, title, start in _definitions(text)[:_MAX_HEADINGS]:
        builder.mark_heading(level, title, start)
    return builder.build()


def _definitions(text: str) -> list[tuple[int, str, int]]:
    """Level, title and offset of definitions at the left edge (1) and one step in (2), or of sections of a text."""
    found = []
    for match in _DEFINITION.finditer(text):
        indent = len(match["indent"].replace("\t", "    "))
        if indent <= 4:
            found.append((2 if indent else 1, " ".join(match["title"].split()), match.start("title")))
    if not found:
        found = [(1, " ".join(match["title"].split()), match.start("title")) for match in _TABLE.finditer(text)]
    if not found and ("\\section" in text or "\n== " in text):
        found = [(_depth(match), match["title"].strip(), match.start()) for match in _SECTION.finditer(text)]
    return found


def _depth(match: re.Match[str]) -> int:
    marks = match["marks"]
    if marks is None:
        return len(match["depth"] or "") // 3 + 1
    return len(marks) - 1
