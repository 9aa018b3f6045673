"""Quoted strings of a sentence, of every style, and whether they stand in a text. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

from rag.text.language import CJK, fold

_STYLES = re.compile(
    r"“([^“”]{2,300})”|「([^「」]{1,300})」|『([^『』]{1,300})』|«([^«»]{2,300})»|„([^„“”]{2,300})[“”]"
    r"|(?<![\w\"])\"([^\"\n]{2,300})\"(?!\w)|(?<=[" + CJK + r"，。：])\"([^\"\n]{2,300})\""
    r"|(?<!\w)'([^'\n]{2,200})'(?!\w)|‘([^‘’\n]{2,200})’(?!\w)|`([^`\n]{2,200})`"
)
_TITLE = re.compile(r"《([^《》]{1,100})》")
_LEFT_OUT = re.compile(r"\s*(?:…+|\.{3,}|[\[【(（](?:…+|\.{3,})[\]】)）])\s*")


def quoted(sentence: str) -> list[str]:
    """The quoted strings of a sentence, without their marks; a quotation with an ellipsis gives its parts."""
    found = [next(group for group in match.groups() if group is not None) for match in _STYLES.finditer(sentence)]
    return [part.strip() for quote in found for part in _LEFT_OUT.split(quote) if len(part.strip()) > 1]


def titles(sentence: str) -> list[str]:
    """The titles between 《 and 》."""
    return _TITLE.findall(sentence)


def stands(quote: str, text: str) -> bool:
    """Whether a quotation stands in a text, whatever the case, white space, dashes and punctuation at its ends."""
    flat_quote, flat_text = flat(quote), flat(text)
    if not flat_quote:
        return True
    at = flat_text.find(flat_quote)
    while at >= 0:
        before, after = flat_text[at - 1 : at] if at else "", flat_text[at + len(flat_quote) : at + len(flat_quote) + 1]
        # a number must not be cut: "12" does not stand in "120"
        if not (before.isdigit() and flat_quote[0].isdigit()) and not (after.isdigit() and flat_quote[-1].isdigit()):
            return True
        at = flat_text.find(flat_quote, at + 1)
    return False


@lru_cache(maxsize=256)
def flat(text: str) -> str:
    """The folded text without white space, punctuation and marks."""
    return re.sub(r"[^\w%$€£¥+]+|_", "", fold(text))
