"""Whether the facts of a sentence stand beside the same words as in its text: "15 days" may be there, but of something else. Pure.

A sentence that swaps two numbers, or takes its date from the next row of a table, holds nothing that its text does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag.verification.reading import Word

# Words on each side of a fact that tell what it is of, in a sentence and, where they may stand further away, in a text.
AROUND, WITHIN = 6, 9
# What a word on the other side of the fact than in the sentence is worth.
OTHER_SIDE = 0.4
# What a word of another sentence or row of the text is worth.
OTHER_PART = 0.3


def misbound(sentence: Sequence[Word], text: Sequence[Word]) -> float:
    """How much more of the words around some fact of the sentence stand around another fact of the text than around it, 0..1."""
    return max(_excesses(sentence, text), default=0.0)


def _excesses(sentence: Sequence[Word], text: Sequence[Word]) -> Iterator[float]:
    places = [j for j, word in enumerate(text) if word.fact]
    held = {text[j].key for j in places}
    for i, word in enumerate(sentence):
        if not word.fact or word.key not in held:
            continue
        around = _around(sentence, i)
        total = sum(around.values())
        if not total:
            continue
        own, other = 0.0, 0.0
        for j in places:
            if _numeric(text[j]) != _numeric(word):
                continue
            share = _shared(around, text, j) / total
            if text[j].key == word.key:
                own = max(own, share)
            elif abs(share) > other and not _beside(text, j, word):
                other = share
        yield max(0.0, other - own)


def _numeric(word: Word) -> bool:
    return word.key[:1].isdigit()


def _beside(text: Sequence[Word], at: int, word: Word) -> bool:
    """Whether the fact itself stands close to another one, so that both have the same words around them."""
    return any(other.key == word.key for other in text[max(0, at - 2) : at + 3])


def _around(words: Sequence[Word], at: int) -> dict[tuple[str, bool], float]:
    """The content words around a fact, as (word, whether it stands before the fact), and what each weighs: near ones more."""
    found: dict[tuple[str, bool], float] = {}
    for i in range(max(0, at - AROUND), min(len(words), at + AROUND + 1)):
        if i != at and words[i].content and not (words[i].fact and _numeric(words[i])):
            found.setdefault((words[i].key, i < at), 1 / (1 + abs(i - at)) ** 0.5)
    return found


def _shared(around: dict[tuple[str, bool], float], text: Sequence[Word], at: int) -> float:
    before = _near(text, at, max(0, at - WITHIN), at)
    behind = _near(text, at, at + 1, at + WITHIN + 1)
    found = 0.0
    for (key, first), weight in around.items():
        same, other = (before, behind) if first else (behind, before)
        found += weight * max(same.get(key, 0.0), OTHER_SIDE * other.get(key, 0.0))
    return found


def _near(text: Sequence[Word], at: int, start: int, end: int) -> dict[str, float]:
    """The words of a stretch, and what each is worth there: less in another sentence or row than the fact."""
    return {word.key: 1.0 if word.part == text[at].part else OTHER_PART for word in text[start:end]}
