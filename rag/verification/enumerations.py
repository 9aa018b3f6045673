"""The items of an enumeration in a sentence: "diving, surfing, and riding lessons", "潜水、冲浪和骑马". Pure.

A span may hold most words of a sentence and yet only the first items of what it lists.
"""

from __future__ import annotations

import re

_CLAUSE = re.compile(r"[;:!?()\n]|\.(?=\s|$)")
_COMMA = re.compile(r",\s+")
_AND = re.compile(r"(?:^|\s)(?:and|or)\s+")
_CONNECTIVE = re.compile(
    r"(?:such as|including|for (?:example|instance)|however|therefore|also|finally|then|in (?:addition|particular|general|fact)|of course"
    r"|as well|where applicable|if (?:applicable|possible|necessary))\b\s*"
)
_CJK = re.compile(r"[^，。；：、！？\s]{1,20}(?:、[^，。；：、！？\s]{1,20})+")
_CJK_AND = re.compile(r"、|以及|和|与|及|或")
# An item of more words is a clause.
MOST_WORDS = 12
FIRST_WORDS = 4


def enumerations(sentence: str) -> list[list[str]]:
    """The items of each enumeration of three and more things, in order.

    The first item may hold a little of what leads up to it, its last four words being taken, the last one whatever follows.
    """
    found: list[list[str]] = []
    for clause in _CLAUSE.split(sentence):
        parts = _COMMA.split(clause.strip())
        last = [part for part in _AND.split(parts[-1], maxsplit=1) if part.strip()]
        if len(parts) < 2 or not _AND.search(parts[-1]):
            continue
        middle: list[str] = []
        while len(parts) > 2 and len(parts[-2].split()) <= MOST_WORDS:
            middle.insert(0, _CONNECTIVE.sub("", parts.pop(-2)))
        if not middle and (len(last) < 2 or len(last[0].split()) > MOST_WORDS or _CONNECTIVE.match(last[0])):
            continue  # "…, as well as the cost and the date" adds to a clause
        if len(middle) + len(last) > 1:
            found.append([" ".join(parts[-2].split()[-FIRST_WORDS:]), *middle, *last])
    for match in _CJK.finditer(sentence):
        parts = [part for part in _CJK_AND.split(match[0]) if part]
        if len(parts) > 2:
            found.append(parts)
    return found
