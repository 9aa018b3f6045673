"""What headings and a file's name say about a question, which neither its words nor its vectors do. Pure.

Of two passages that say the same, the one whose headings and file name hold what the question names, or whose own heading the question
holds, is the one that was meant (docs/decisions/0002-fusion.md has the figures). Of two files whose names differ by a word, the one
whose word the question uses is meant.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from rag.text.language import names, query_terms, terms
from rag.types import Passage

NAMES = ("subject", "names", "headed", "like_named")
"""The features that `features` gives."""

# The share of words that two files' names must have in common for the others to tell them apart.
ALIKE = 0.5
# Digits of a number that tells files apart by itself.
YEAR = 4
# The idf of a term that stands in two thirds of all chunks: one of more says which file is meant to nobody.
EVERYWHERE = math.log(1.5)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a question looks for: its terms in order, and those of them that are names."""

    terms: tuple[str, ...]
    names: frozenset[str]

    @classmethod
    def of(cls, question: str) -> Wanted:
        """Read a question."""
        found = tuple(query_terms(question))
        return cls(found, names(question) & frozenset(found))


def features(
    wanted: Wanted, idf: Mapping[str, float], passage: Passage, like_named: Collection[str] = ()
) -> dict[str, float]:
    """What headings and file name say, each 0..1; `idf` gives the weight of each wanted term.

    - subject: the share of the question's terms, by idf, that stand in the file's name
    - names: the share of its names that stand in headings or file name
    - headed: how much of the passage's own heading the question holds
    - like_named: whether the file is one of `like_named`, those of `like_named_files`
    """
    headings = heading_terms(passage.heading or "")
    called = name_terms(passage.filename)
    above = called.union(*headings)
    asked = frozenset(wanted.terms)
    return {
        "subject": _share(asked & called, asked, idf),
        "names": _share(wanted.names & above, wanted.names, idf),
        "headed": len(asked & headings[-1]) / (len(headings[-1]) + 1) if headings else 0.0,
        "like_named": float(passage.filename in like_named),
    }


def like_named_files(wanted: Wanted, filenames: Collection[str], idf: Mapping[str, float]) -> frozenset[str]:
    """The files that the question does not mean, since it names another one whose name differs from theirs in what it says.

    "What does the Plus plan cover?" means `Plan_Plus.pdf` and not `Plan_Standard.pdf`; "What does the plan cover?" may mean
    either, and so may a question that names both, or two of several. Only names and years tell files apart: everyday words
    do so by chance where all files are called after one site or folder. Nor does a word of nearly every chunk speak for a
    file: "the Standard health plan" is not that of `Health_Plus.pdf`.
    """
    asked = frozenset(wanted.terms)
    telling = frozenset(term for term in asked if idf.get(term, 0.0) > EVERYWHERE)
    called = {name_terms(name) for name in filenames}
    like_named = set()
    for other in called:
        named = [name for name in called if _told_apart(name, other, wanted.names) and name - other <= asked]
        if len(named) == 1:
            own = other - named[0]
            if not own & telling and not own <= asked:
                like_named.add(other)
    return frozenset(name for name in filenames if name_terms(name) in like_named)


def _told_apart(name: frozenset[str], other: frozenset[str], proper: frozenset[str]) -> bool:
    """Whether two names are alike but for words of their own, the first having a year or one of the question's names."""
    own = name - other
    alike = len(name & other) >= ALIKE * max(len(name), len(other))
    return (
        alike and bool(other - name) and any(term in proper or (term.isdigit() and len(term) == YEAR) for term in own)
    )


@lru_cache(maxsize=2048)
def heading_terms(path: str) -> tuple[frozenset[str], ...]:
    """The index terms of each heading of a path that has any, outermost first."""
    return tuple(found for title in path.split(" > ") if (found := frozenset(terms(title))))


@lru_cache(maxsize=2048)
def name_terms(filename: str) -> frozenset[str]:
    """The index terms of a file's name, without its extension."""
    return frozenset(terms(re.sub(r"[_.\-]+", " ", re.sub(r"(?<=.)\.[A-Za-z]\w{0,5}$", "", filename))))


def _share(held: Collection[str], of: Collection[str], idf: Mapping[str, float]) -> float:
    """The share, by idf, of the terms `of` that are `held`, 0..1."""
    return sum(idf[term] for term in held) / (sum(idf[term] for term in of) or 1.0)
