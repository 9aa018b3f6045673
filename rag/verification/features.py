"""What a sentence and the spans that it cites have in common, as named numbers that the fitted model weighs. Pure.

Every feature is 0 where nothing speaks for or against; none knows a question set, a language or an embedding model by name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise, zip_longest
from typing import Any

import numpy as np

from rag.text.language import fold, is_cjk, language
from rag.vectors import Vectors
from rag.verification.alignment import NEAR, Alignment, Flags, Gap, align, same_words, similarities
from rag.verification.binding import misbound
from rag.verification.contradiction import turned
from rag.verification.facts.code import code_of, unknown_code
from rag.verification.facts.dates import dated
from rag.verification.facts.facts import Facts, facts_of, facts_within, unstated
from rag.verification.facts.names import names_of, unknown_names
from rag.verification.facts.quantities import stated
from rag.verification.facts.quotations import quoted, stands, titles
from rag.verification.reading import Reading, Word

# Of facts missing, more than two say no more than two.
MOST = 2
# A word this long is the same with a letter put in, left out or changed: `difflib` ratio, 0..1.
LONG_WORD, MISSPELT = 7, 0.9
# Numbers up to this, written as words, may count things.
COUNTED = 12
_DENIAL = re.compile(
    r"(?:not?|never|none|neither|nor|without|cannot|no|lack|exclud|\w+n['’]t|[不没沒无無未非勿别別缺])$"
)
# Stems before which a denial denies nothing: "not only", "不仅".
_NOT_ONLY = frozenset(["onli", "just", "mere", "仅", "但", "只", "光"])
# What limits or widens a statement. Each group is one thing that a sentence may claim and its text not.
_BOUNDS = {
    "all": re.compile(
        r"\b(?:all|every|any|always|each|both|whenever|entire(?:ly)?|complete(?:ly)?)\b|所有|全部|一切|任何|每[个次条种]|总是|始终|一律|都"
    ),
    "only": re.compile(r"\b(?:only|solely|exclusively|just|unless|except)\b|只(?!要)|仅|唯一|除非|除了"),
    "may": re.compile(
        r"\b(?:may|might|can|could|often|usually|sometimes|generally|typically|should|recommend\w*)\b|可能|可以|通常|一般|往往|有时|建议|大约|应该"
    ),
    "must": re.compile(
        r"\b(?:must|required?|requires|have to|has to|need(?:s|ed)?|will|guarantee\w*|ensure[sd]?|mandatory|automatically)\b|必须|需要|一定|务必|必然|保证|确保|自动"
    ),
    "if": re.compile(
        r"\b(?:if|when|unless|provided|once|until|as long as|in case)\b|如果|若|当|只有|只要|除非|一旦|假如"
    ),
    "because": re.compile(
        r"\b(?:because|since|due to|therefore|thus|so that|as a result|in order to)\b|因为|由于|因此|所以|从而|以便|导致"
    ),
}

_CONTRACTED = re.compile(r"['’](?:re|ll|ve|d|m|s|t)$", re.IGNORECASE)
# A yes or no answers the question; the span need not hold it.
_OPENING = re.compile(r"^\s*(?:yes|no|yeah|nope|sure|not (?:yet|really|necessarily))\b[\s,.;:!—–-]*", re.IGNORECASE)

Features = Mapping[str, float]
Missing = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """A sentence beside a text: the features, the facts of it that are missing, and how alike each pair of words is."""

    features: Features
    missing: Missing
    similarity: Vectors


def compare(sentence: Reading, text: Reading, *, context: str, question: str, other: float = 0.0) -> Compared:
    """Hold a sentence against a text. `context` tells what the text is about; `other`: the best coverage by another source."""
    same = same_words(sentence.words, text.words)
    similarity = similarities(sentence, text, same)
    missing = missing_facts(sentence.text, text.text, context, question)
    alignment = align(sentence.words, text.words, same)
    held: Any = same.any(axis=1) if same.size else np.zeros(len(sentence.words), dtype=bool)
    best = best_matches(sentence, similarity)
    found = {
        **_counts(missing),
        **_wording(sentence, held, best, question),
        **_edits(alignment, sentence, text, held),
        **_bounds(sentence.text, _stretch(text, alignment, similarity)),
        "margin": coverage(sentence.words, best, question) - other,
        "nearer": max(0.0, other - coverage(sentence.words, best, question)),
        "cross_language": float(language(sentence.text) != language(text.text)),
    }
    found["put_in"] = min(1.0, found["no_han_name"] + found["no_first_word"]) * found["verbatim"]
    return Compared(found, _settled(missing, sentence.text, text.text, alignment), similarity)


def _settled(missing: Missing, sentence: str, text: str, alignment: Alignment) -> Missing:
    """The missing facts, with what might have been no fact told by its place.

    A count that is an ordinal ("第四阶段") or stands in the place of another number of the text ("八种" for "两种") is a
    number; a first word in the place of a name of the text ("Einstein found it" for "Halley found it") is a name.
    """
    kinds = {("count", number): "number" for number in _exact_counts(sentence, alignment)}
    kinds |= {("first", name): "name" for name in _names_in_place_of_names(text, alignment)}
    return tuple((kinds.get(item, item[0]), item[1]) for item in missing)


def _exact_counts(sentence: str, alignment: Alignment) -> set[str]:
    exact = {each.plain for each in facts_of(sentence).undated if sentence[max(0, each.start - 1) : each.start] == "第"}
    for gap in alignment.gaps:
        mine, theirs = ({word.key for word in side if word.key[:1].isdigit()} for side in (gap.sentence, gap.text))
        exact |= mine if theirs and not mine & theirs else set()
    return exact


def _names_in_place_of_names(text: str, alignment: Alignment) -> Iterator[str]:
    """Words, with a capital, that one word of a name of the text gave way to."""
    known = {fold(name) for name in names_of(text)}
    for gap in alignment.gaps:
        mine, theirs = ([word for word in side if word.content] for side in (gap.sentence, gap.text))
        if len(mine) == 1 and any(fold(text[word.start : word.end]) in known for word in theirs):
            yield mine[0].key.capitalize()


def missing_facts(sentence: str, text: str, context: str, question: str) -> Missing:
    """Facts of a sentence that neither the text nor, for names and code, its context or the question states: (kind, text)."""
    around = f"{text}\n{context}\n{question}"
    found = [_counted(item, sentence) for item in unstated(sentence, text, context) if item[1] not in _stated(question)]
    found += [
        ("quote", quote)
        for quote in quoted(sentence)
        if "`" not in quote and quote not in around and not stands(quote, around) and not _code(quote, around)
    ]
    found += [("code", piece) for piece in unknown_code(sentence, around)]
    found += [("quote", title) for title in titles(sentence) if not stands(title, around)]
    if language(sentence) == language(text):
        coded = "".join(code_of(sentence))
        told = _OPENING.sub("", sentence)
        names = unknown_names(told, around, numbers=facts_of(told).parts)
        found += [(_first(name, told), name) for name in names if name not in coded and not _CONTRACTED.search(name)]
    return tuple(dict.fromkeys(found))


def _counted(item: tuple[str, str], sentence: str) -> tuple[str, str]:
    """A small number in words may count what a text only lists ("three ways"): it is a count, not a number that must stand there."""
    kind, number = item
    if kind == "number" and any(
        each.plain == number and each.word and each.value <= COUNTED for each in facts_of(sentence).undated
    ):
        return "count", number
    return item


def _first(name: str, sentence: str) -> str:
    """A word that opens a sentence has its capital from that, and may be no name."""
    ordinary = name[1:].islower() and not any(map(str.isdigit, name))
    return "first" if ordinary and sentence.lstrip("*_`\"'“ ").startswith(name) else "name"


@lru_cache(maxsize=16)
def _stated(question: str) -> frozenset[str]:
    facts = facts_of(question)
    return frozenset({item.text for item in facts.dates} | {item.plain for item in facts.quantities})


def _code(quote: str, around: str) -> bool:
    return bool(code_of(quote)) and not unknown_code(f"`{quote}`", around)


def _counts(missing: Missing) -> dict[str, float]:
    kinds = [kind for kind, _ in missing]
    counted = {
        kind: float(min(MOST, kinds.count(kind)))
        for kind in ("number", "unit", "date", "quote", "code", "count", "first")
    }
    han = sum(kind == "name" and is_cjk(text) for kind, text in missing)
    return {
        "no_number": max(counted["number"], counted["unit"]),
        "no_count": counted["count"],
        "no_date": counted["date"],
        "no_quote": counted["quote"],
        "no_code": counted["code"],
        "no_name": float(min(MOST, kinds.count("name") - han)),
        "no_first_word": counted["first"],
        "no_han_name": float(min(MOST, han)),
    }


def best_matches(sentence: Reading, similarity: Vectors) -> Vectors:
    """How alike each word of the sentence is to the word of the text that is most alike, shape (n,)."""
    return similarity.max(axis=1) if similarity.size else np.zeros(len(sentence.words), dtype=np.float32)


def coverage(words: Sequence[Word], best: Vectors, question: str) -> float:
    """The mean of the content words' best matches, those of the question's words counting half."""
    weights = np.array([_weight(word, question) for word in words])
    return float((weights * best).sum() / weights.sum()) if weights.sum() else 0.0


def _weight(word: Word, question: str) -> float:
    if not word.content:
        return 0.0
    return 0.5 if word.key in _folded(question) else 1.0


@lru_cache(maxsize=16)
def _folded(text: str) -> str:
    return fold(text)


def _wording(sentence: Reading, held: Flags, best: Vectors, question: str) -> dict[str, float]:
    content = np.array([word.content for word in sentence.words], dtype=bool)
    return {
        "coverage": coverage(sentence.words, best, question),
        "overlap": float(held[content].mean()) if content.any() else 1.0,
    }


def _edits(alignment: Alignment, sentence: Reading, text: Reading, held: Flags) -> dict[str, float]:
    """What a sentence changes of a text that it else follows word by word: the closer it follows, the more a change tells."""
    count = sum(word.content for word in sentence.words) or 1
    kept = sum(sentence.words[i].content for i, _ in alignment.pairs) / count
    there = sum(word.content for word, known in zip(sentence.words, held, strict=True) if known) / count
    close = kept * kept
    known = {word.key for word, stands in zip(sentence.words, held, strict=True) if stands}
    gaps = alignment.gaps
    tight = [gap for gap in gaps if gap.sentence and gap.text]
    parted = [gap for gap in gaps if _denials(gap.sentence) % 2 != _denials(gap.text) % 2]
    reversed_ = {kind for kind, _ in turned(sentence.text, text.text)}
    return {
        "verbatim": kept,
        "rearranged": max(0.0, there - kept),
        "replaced": close * _share(count, (gap.sentence for gap in tight if _content(gap.text))),
        "swapped_fact": close * min(MOST, sum(_swaps_fact(gap, sentence.text, text.text) for gap in tight)),
        "moved": close * _share(count, ([word for word in gap.sentence if word.key in known] for gap in gaps)),
        "inserted": close * _share(count, (gap.sentence for gap in gaps if not _content(gap.text))),
        "omitted": close * _share(count, (gap.text for gap in gaps if not _content(gap.sentence))),
        "jumps": float(any(m - j > NEAR + 1 for (_, j), (_, m) in pairwise(alignment.pairs))),
        "misbound": kept * misbound(sentence.words, text.words),
        "denial": kept * float(bool(parted) and _denies_otherwise(sentence, text, alignment)),
        "negated": kept * float(any(map(_only_negates, parted))),
        "denies": float(bool(parted)),
        "turned": float("negation" in reversed_),
        "opposed": close * float("comparative" in reversed_),
    }


def _only_negates(gap: Gap) -> bool:
    """Whether nothing of weight but denials stands in a gap that denies on one side only."""
    sides = [[word for word in side if word.content or _DENIAL.match(word.key)] for side in (gap.sentence, gap.text)]
    return all(_DENIAL.match(word.key) for side in sides for word in side)


def _denies_otherwise(sentence: Reading, text: Reading, alignment: Alignment) -> bool:
    """Whether a sentence that denies between other words than the text it follows does so as a whole, too, or the reverse.

    "There is no support for X" and "X is not supported" deny in other places, and both deny.
    """
    touched = {text.words[j].part for _, j in alignment.pairs}
    around = [word for word in text.words if word.part in touched]
    return (_denials(sentence.words) > 0) != (_denials(around) > 0)


def _share(count: int, stretches: Iterable[Collection[Word]]) -> float:
    """How much content stretches hold, as a share of the sentence's, at most 1."""
    return min(1.0, sum(word.content for words in stretches for word in words) / count)


def _content(words: Collection[Word]) -> bool:
    return any(word.content for word in words)


def _swaps_fact(gap: Gap, sentence: str, text: str) -> bool:
    """Whether other facts stand in the place of the text's: not the same number or date in another form."""
    mine, theirs = ({word.key for word in side if word.fact} for side in (gap.sentence, gap.text))
    if not mine or not theirs or mine & theirs or any(_misspelt(a, b) for a in mine for b in theirs):
        return False
    return not _same_facts(facts_within(sentence, *_ends(gap.sentence)), facts_within(text, *_ends(gap.text)))


def _ends(words: Sequence[Word]) -> tuple[int, int]:
    return words[0].start, words[-1].end


def _same_facts(mine: Facts, theirs: Facts) -> bool:
    """Whether numbers and dates are there, and each is one of the others in its own form."""
    if not mine.dates and not mine.hard:
        return False
    dates = all(dated(item, theirs.dates) for item in mine.dates)
    return dates and all(stated(item, theirs.quantities) is None for item in mine.hard)


def _misspelt(one: str, other: str) -> bool:
    """Whether two words without digits are one but for a letter or two."""
    if min(len(one), len(other)) < LONG_WORD or any(map(str.isdigit, one + other)):
        return False
    return SequenceMatcher(None, one, other).ratio() >= MISSPELT


def _denials(words: Sequence[Word]) -> int:
    """How many of the words deny. The "not" of "not only … but also" does not."""
    return sum(
        _DENIAL.match(word.key) is not None and (after is None or after.key not in _NOT_ONLY)
        for word, after in zip_longest(words, words[1:])
    )


def _stretch(text: Reading, alignment: Alignment, similarity: Vectors) -> str:
    """The part of a text that a sentence follows, else the words around the one that is most alike to its words."""
    if not text.words:
        return ""
    if len(alignment.pairs) > 2:
        first, last = alignment.pairs[0][1], alignment.pairs[-1][1]
    else:
        first = last = int(similarity.sum(axis=0).argmax()) if similarity.size else 0
    first, last = max(0, first - 8), min(len(text.words) - 1, last + 8)
    return text.text[text.words[first].start : text.words[last].end]


def _bounds(sentence: str, stretch: str) -> dict[str, float]:
    mine, theirs = fold(sentence), fold(stretch)
    found = {}
    for name, pattern in _BOUNDS.items():
        said, given = bool(pattern.search(mine)), bool(pattern.search(theirs))
        found[f"adds_{name}"] = float(said and not given)
        found[f"drops_{name}"] = float(given and not said)
    return found
