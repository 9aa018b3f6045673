"""Which character of a document's text is which character of the page that it was read from.

Owns that match. The text has been tidied since (hyphens joined, ligatures undone, running heads dropped, cells parted by
bars) and may stand in another order than the page's. Pure functions; must not know a PDF library.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212\ufffe\u00ad"), "-")
_BULLETS = dict.fromkeys(map(ord, "\u25aa\u25cf\u25cb\u25e6\u2023\u00b7\u25a0\u25a1\u2756\u27a2\u2713\u2714"), "\u2022")
_SPELLING = {**_DASHES, **_BULLETS}
_MAX_PAIRS = 2_000_000  # pairs of equal words, or letters, that difflib is given: a second or two
_MAX_MOVED_PAIRS = 100_000
_REACH = 120  # words that may be missing on both sides together where a page is too repetitive for difflib
_AGREE = 4  # words in a row that show where it goes on
_MAX_STEPS = 400_000
_MIN_RUN = 3  # letters in a row that are no accident within a gap
_MIN_MOVED = 5  # and anywhere on the page
_ROUNDS = 64


@dataclass(slots=True)
class _Word:
    """A run without blanks: its letters as compared, and the index of the character that each comes from."""

    letters: str
    indexes: list[int]


Words = list[_Word]


def align(text: str, page: str) -> list[int]:
    """For each character of `page` the index of its character in `text`; -1 for blanks and what has none.

    Blanks never count. What stands in the same order is matched first, then what was moved, longest runs first.
    """
    found = [-1] * len(page)
    ours, theirs = _words(text), _words(page)
    gaps = list(_match_words(ours, theirs, found))
    left_ours, left_theirs = [], []
    for mine, other in gaps:
        mine, other = _match_letters(mine, other, found, at_least=_MIN_RUN)
        left_ours += mine
        left_theirs += other
    _match_moved(left_ours, left_theirs, found)
    return found


@lru_cache(maxsize=65536)
def fold(character: str) -> str:
    """A character as it is compared: without case, accents, width and variants; "" for what is not seen."""
    plain = unicodedata.normalize("NFKD", character.translate(_SPELLING)).casefold()
    return "".join(each for each in plain.translate(_SPELLING) if _is_seen(each))


def _is_seen(character: str) -> bool:
    return not character.isspace() and unicodedata.category(character) not in ("Mn", "Me", "Cc", "Cf", "Co", "Cs", "Cn")


def _words(text: str) -> Words:
    words, current = [], _Word("", [])
    for index, character in enumerate(text):
        if character.isspace():
            if current.indexes:
                words.append(current)
                current = _Word("", [])
            continue
        folded = fold(character)
        current.letters += folded
        current.indexes += [index] * len(folded)
    return [*words, current] if current.indexes else words


def _match_words(ours: Words, theirs: Words, found: list[int]) -> Iterator[tuple[Words, Words]]:
    """Match equal words in order, and yield what is left over between them."""
    left, right = [each.letters for each in ours], [each.letters for each in theirs]
    blocks: Iterable[tuple[int, int, int]]
    if _pairs(left, right) <= _MAX_PAIRS:
        blocks = SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks()
    else:
        blocks = _in_step(left, right)
    here, there = 0, 0
    for mine, other, length in blocks:
        if here < mine or there < other:
            yield ours[here:mine], theirs[there:other]
        for one, two in zip(ours[mine : mine + length], theirs[other : other + length], strict=True):
            _note(one.indexes, two.indexes, found)
        here, there = mine + length, other + length


def _pairs(left: Sequence[str], right: Sequence[str]) -> int:
    """How many pairs of equal members two sequences have: what difflib's time grows with."""
    counts = Counter(left)
    return sum(counts[each] for each in right)


def _in_step(left: Sequence[str], right: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Equal blocks of two sequences that differ little, as difflib gives them, in time that grows with their length."""
    i = j = steps = 0
    while i < len(left) and j < len(right):
        length = 0
        while i + length < len(left) and j + length < len(right) and left[i + length] == right[j + length]:
            length += 1
        yield i, j, length
        i, j = i + length, j + length
        for skipped in ((here, both - here) for both in range(1, _REACH) for here in range(both + 1)):
            steps += 1
            ahead = left[i + skipped[0] : i + skipped[0] + _AGREE]
            if ahead and ahead == right[j + skipped[1] : j + skipped[1] + _AGREE]:
                i, j = i + skipped[0], j + skipped[1]
                break
        else:
            break
        if steps > _MAX_STEPS:
            break
    yield len(left), len(right), 0


def _match_letters(ours: Words, theirs: Words, found: list[int], *, at_least: int) -> tuple[Words, Words]:
    """Match runs of letters in order, across words; the words that have unmatched letters are handed back."""
    mine, other = "".join(each.letters for each in ours), "".join(each.letters for each in theirs)
    if not mine or not other or _pairs(mine, other) > _MAX_PAIRS:
        return ours, theirs
    at_least = min(at_least, len(mine), len(other))
    places = [index for each in ours for index in each.indexes]
    others = [index for each in theirs for index in each.indexes]
    used_here, used_there = bytearray(len(mine)), bytearray(len(other))
    for one, two, length in SequenceMatcher(None, mine, other, autojunk=False).get_matching_blocks():
        if length < at_least:
            continue
        _note(places[one : one + length], others[two : two + length], found)
        used_here[one : one + length] = used_there[two : two + length] = b"\1" * length
    return _unused(ours, used_here), _unused(theirs, used_there)


def _unused(words: Words, used: bytearray) -> Words:
    """What is left of the words."""
    rest, position = [], 0
    for word in words:
        flags = used[position : position + len(word.letters)]
        position += len(word.letters)
        kept = [i for i, flag in enumerate(flags) if not flag]
        if kept:
            rest.append(_Word("".join(word.letters[i] for i in kept), [word.indexes[i] for i in kept]))
    return rest


def _match_moved(ours: Words, theirs: Words, found: list[int]) -> None:
    """Match what stands in another order: the longest run of equal words, again and again, then single long words' parts."""
    for _ in range(_ROUNDS):
        mine, other = [each.letters for each in ours], [each.letters for each in theirs]
        if not ours or not theirs or _pairs(mine, other) > _MAX_MOVED_PAIRS:
            return
        block = SequenceMatcher(None, mine, other, autojunk=False).find_longest_match()
        if sum(map(len, mine[block.a : block.a + block.size])) < min(_MIN_MOVED, sum(map(len, mine))):
            break
        pairs = zip(ours[block.a : block.a + block.size], theirs[block.b : block.b + block.size], strict=True)
        for one, two in pairs:
            _note(one.indexes, two.indexes, found)
        del ours[block.a : block.a + block.size], theirs[block.b : block.b + block.size]
    _match_letters(ours, theirs, found, at_least=_MIN_MOVED)


def _note(indexes: Sequence[int], places: Sequence[int], found: list[int]) -> None:
    for index, place in zip(indexes, places, strict=True):
        found[place] = index
