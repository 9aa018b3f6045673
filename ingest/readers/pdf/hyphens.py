"""Words that were broken at the end of a line, put together again.

Owns the judgement whether the hyphen was the typesetter's ("eleva-tor") or the writer's ("well-known"): by what the rest
of the document writes, then by the looks of the two halves. Halves of broken words are no words of the document. Must not
know a PDF library.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

HYPHEN = "\ufffe"
"""Where pdfium joined a word that was broken at a line's end."""

HYPHENS = ("-", "\u2010", "\u00ad", HYPHEN)

_CJK = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_TAIL = re.compile(rf"((?:[^\W_{_CJK}]+[-\u2010\u2011])*)([^\W\d_{_CJK}]+)[-\u2010\u00ad\ufffe]$")
_HEAD = re.compile(rf"([^\W_{_CJK}]+)[^\s{_CJK}]*")
_WORDS = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_FIRST_WORD = re.compile(r"\W*([^\W_]+)(?:-[^\W_]+)*")
# "short- and long-term": the hyphen stands for a word that comes later.
_SUSPENDED = frozenset("and or und oder bis sowie nor versus vs".split())
_PERHAPS_SUSPENDED = frozenset("to et ou y o e als en of".split())  # where a word with a hyphen follows
# Of these a word begins or ends that is written as one: their being words of the document as well proves nothing.
_SYLLABLES = frozenset(
    "in on be for to per all any can not with under over out up down no so as at or an by is it he me us we man some every"
    " there where here how what when inter super sub trans after fore back con pro com dis mis non pre re un de ex act age"
    " able ion ward wise ship hood less ness some times thing things body one self selves ever more fore cause"
    " come side stand land line work day time way ing ed er est ly al port form".split()
)
_COMPOUND_FIRST = frozenset(
    "well self ill half cross high low long short full part real so ex all multi state one two three four five six seven eight nine ten first second third single double user cost risk time open"
    " closed hard soft fast slow wide deep large small third mid top hand old new cutting leading best decision know follow check log sign".split()
)
_TENS = frozenset("twenty thirty forty fifty sixty seventy eighty ninety".split())
_ONES = frozenset(
    "one two three four five six seven eight nine first second third fourth fifth sixth seventh ninth".split()
)
_COMPOUND_SECOND = frozenset(
    "known being called based term time effective friendly quality scale speed level driven oriented specific edge class aware"
    " efficient making party end to date established defined trained paid founded informed written meaning range running"
    " standing lasting life page stage year day hand sided way fold thirds quarters quarter half fifths tenths size sized"
    " functional purpose saving conscious assessed assessment service control employed evident explanatory sufficient source"
    " loop circuit free related dependent independent wide case how up off out in by the of art".split()
)
_SOLID = frozenset(
    "alltime lifetime halftime halfway oneself firsthand secondhand widespread longhand shorthand highlevel newfree knowhow"
    " handout checkout checkup logout topside lowlife oldtime signoff midday midterm midlife midway midyear sometime".split()
)
_BETWEEN = frozenset("of the to in and by on up for a de la".split())


@dataclass(frozen=True, slots=True)
class Words:
    """How often a document writes each word, compounds as one; whether its lines are broken within words at all."""

    counts: Counter[str]
    hyphenated: bool = True

    def weigh(self, before: str, left: str, right: str) -> int:
        """Over 0 where the document writes both halves as one word more often than with a hyphen; 0 where it is silent."""
        whole, compound = self.counts[left + right], self.counts[f"{left}-{right}"]
        if before:
            whole, compound = (
                whole + self.counts[before + left + right],
                compound + self.counts[f"{before}{left}-{right}"],
            )
        return whole - compound


def _tail(text: str) -> re.Match[str] | None:
    """The beginning of a word that a line breaks off in: the parts before its last hyphens, and the last part."""
    return _TAIL.search(text) if text.endswith(HYPHENS) else None


def words_of(lines: Iterable[str]) -> Words:
    """The words of a document, counted only if one is broken at the end of a line. The halves of such words do not count."""
    counts: Counter[str] = Counter()
    texts = list(lines)
    breaks = []
    if not any(map(_tail, texts)):
        return Words(counts)
    tail = None
    for text in texts:
        text = text.casefold().replace("\u2010", "-")
        if tail and (head := _FIRST_WORD.match(text)):
            breaks.append((tail[1], tail[2], head[1]))
            text = text[head.end() :]
        tail = _tail(text)
        counts.update(_WORDS.findall(text[: tail.start()] if tail else text))
    words = Words(counts)
    weights = [words.weigh(*each) for each in breaks]
    # Most word processors break lines at the hyphens of compounds, and nowhere else in a word.
    compounds = sum(weight < 0 for weight in weights)
    return replace(
        words, hyphenated=compounds < 3 or sum(1 + (weight > 0) for weight in weights if weight >= 0) >= compounds
    )


def join(upper: str, lower: str, words: Words) -> tuple[str, str] | None:
    """The two lines with the word that is broken between them in the upper one; None where none is."""
    tail = _tail(upper)
    head = _HEAD.match(lower) if tail else None
    if tail is None or head is None or " | " in upper or " | " in lower:
        return None
    if head[0] == head[1] and (
        head[0] in _SUSPENDED or (head[0] in _PERHAPS_SUSPENDED and re.match(r"\w+ \w+-\w", lower))
    ):
        return None
    capitals = upper.upper() == upper and head[1].upper() == head[1]  # words in capitals
    goes_on = head[1].casefold() in _BETWEEN and head[0].startswith(f"{head[1]}-")  # "up-to-date" after "up"
    hyphen = "-" if goes_on or _is_compound(tail[1], tail[2], head[1], words, capitals=capitals) else ""
    return f"{upper[:-1]}{hyphen}{head[0]}", lower[head.end() :].lstrip()


def _is_compound(before: str, left: str, right: str, words: Words, *, capitals: bool) -> bool:
    """Whether `left` and `right` are parted by a hyphen of their own; `before` are the parts that stand before them."""
    one, two = left.casefold(), right.casefold()
    weight = words.weigh(before.casefold().replace("\u2010", "-"), one, two)
    if weight and (right[0].islower() or left.isupper()):
        return weight < 0
    if not right.isalpha() or not (right[0].islower() or capitals):
        return True
    if capitals and max(len(left), len(right)) < 5:  # "ISO-IEC"
        return True
    if not words.hyphenated:
        return True
    if len(left) == 1:  # "e-mail", "x-ray": no typesetter leaves one letter
        return True
    if one in _BETWEEN and before:  # "state-of-the-art"
        return True
    if one in _TENS and two in _ONES:
        return True
    if one in _COMPOUND_FIRST and two in _COMPOUND_SECOND:
        return f"{one}{two}" not in _SOLID
    return bool(words.counts[one] and words.counts[two]) and not {one, two} & _SYLLABLES
