"""English questions that lean on the one before, and how one is rewritten. Pure.

Whether one leans is a logistic regression over few features: a word that points back to nothing in its own question, an opener
("and ...", "what about ..."), a phrase without a verb, and above all how many words it has that were not said before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass

from rag.query import pointing_en
from rag.query.pointing_en import ASKS, NAME, POSSESSIVE, PREPOSITION, THING, any_of
from rag.text.language import STOP_WORDS, stem, words


@dataclass(frozen=True, slots=True)
class Lean:
    """How a question leans on the one before.

    `pronoun`: where the word that a name may replace stands, half-open. `fragment`: the question is only a phrase that
    takes the place of another one.
    """

    pronoun: tuple[int, int] | None = None
    fragment: str = ""


MOST_WORDS = 3  # that are counted
# Log-odds that a question leans; fitted by `python -m tests.rag.query.fitting`, which tells on what.
BIAS = 2.76
WEIGHTS = {
    "pronoun": 3.23,
    "pointer": 2.72,
    "opener": -0.67,
    "phrase": 2.31,
    "1 own": -1.45,
    "2 own": -2.53,
    "3 own": -1.07,
    "own thing": -2.06,
    "known words": 0.27,
    "only general words": 0.58,
    "no words": 0.77,
}


_QUOTATION = re.compile(r"“[^”]*”|\"[^\"]*\"|《[^》]*》|「[^」]*」")
_OPENER = re.compile(
    any_of("and", "but", "or", "so", "also", "then", "plus", "(?:what|how) about", "same for", "in that case")
    + r"\b|"
    + any_of("what", "who", "where", "anything", "anyone")
    + r" else\b",
    re.IGNORECASE,
)
_FRAGMENT = re.compile(
    r"(?:and|or|but|also|so)?\s*(?:(?:what|how) about|the same for|same for)?\s*(.+?)[\s?.!]*$", re.IGNORECASE
)
# Words that ask for something without saying for what, or say nothing of it.
_VAGUE = frozenset(
    "long much many often far old big tall high large soon late exactly precisely year month day date time kind type sort else come please"
    " tell say give show explain elaborate detail example reason mean continue go further specific specifically another"
    " one ones two first second might must may shall since per without yet now whats hows wheres"
    " dont doesnt cant wont isnt im ive pls plz thx btw".split()
)
# What may be said of anything, and so says nothing of what it is asked of.
_OF_ANYTHING = frozenset(
    "included allowed permitted possible available needed required necessary safe common ok okay free nothing everything something same sure"
    " short shorter longer simple simpler again biggest cheapest fastest oldest newest next previous happen apply applies include cover"
    " count need get buy find use used done know working still keep".split()
)
# Nouns of which every subject has some: alone they are those of the subject before, beside another one part of it.
_GENERAL = frozenset(
    "price cost fee charge deadline limit cap maximum minimum max min exception default size weight length width height colour color"
    " difference requirement step procedure condition rule penalty consequence benefit drawback advantage disadvantage"
    " number phone email address contact alternative option words command link screenshot".split()
)
_CAPITALS = re.compile(r"\b[A-Z]{2,}\b")  # "IT", "CEO"


def leaning(asked: str, before: Set[str]) -> Lean | None:
    """How a question leans on the one before; None where it stands alone. `before`: terms of what was said there."""
    text = _unquoted(asked)
    told = features(asked, before)
    if sum(WEIGHTS[name] * value for name, value in told.items()) + BIAS <= 0:
        return None
    pronoun = pointing_en.pronoun(text)
    if pronoun:
        return Lean(pronoun=pronoun.span())
    return Lean(fragment=_fragment(text) if told["phrase"] else "")


def features(asked: str, before: Set[str]) -> dict[str, float]:
    """What tells whether a question leans on the one before, whose terms are `before`; each 0 or 1 but for the counts."""
    text = _unquoted(asked)
    said = [word for word in words(text) if len(word) > 1]
    opener = _OPENER.match(text)
    content = [word for word in said if not _is_vague(word)]
    subject = _subject_words(said, before)
    own = sum(stem(word) not in before for word in subject) + (text != asked and not asked.isupper())
    points = pointing_en.pointer(text) is not None
    pronoun = pointing_en.pronoun(text) is not None
    things = [word for match in THING.finditer(text) for word in words(match.group(match.lastindex or 0))]
    has_thing = any(stem(word) not in before for word in things if word in subject) or text != asked
    named = _CAPITALS.search(text) is not None
    phrase = (bool(opener) or _is_phrase(text, said)) and not ASKS.intersection(said[2:] if opener else said)
    return {
        "pronoun": float(pronoun),
        "pointer": float(points),
        "opener": float(opener is not None),
        "phrase": float(phrase),
        **{f"{least} own": float(own >= least) for least in (1, 2, 3)},
        "own thing": float((has_thing or named) and not (pronoun or points)),
        "known words": min(max(len(subject) - own, 0), MOST_WORDS),
        "only general words": float(not subject and bool(content)),
        "no words": float(not content and text == asked),
    }


def _subject_words(said: Sequence[str], before: Set[str]) -> list[str]:
    """What a question is about: "railings", and all three of "max upload size", but not "deadline" alone."""
    general = [_is_one_of(word, _GENERAL) for word in said]
    own = [
        not (_is_vague(word) or _is_one_of(word, _OF_ANYTHING) or told)
        for word, told in zip(said, general, strict=True)
    ]
    new = [told and stem(word) not in before for word, told in zip(said, own, strict=True)]
    return [word for at, word in enumerate(said) if own[at] or (general[at] and any(new[max(at - 1, 0) : at + 2]))]


def _is_one_of(word: str, kind: Set[str]) -> bool:
    return word in kind or word.removesuffix("s") in kind


def _unquoted(asked: str) -> str:
    return _QUOTATION.sub(lambda match: " " * len(match.group()), asked.lower() if asked.isupper() else asked)


def _is_vague(word: str) -> bool:
    return word in STOP_WORDS or word in ASKS or _is_one_of(word, _VAGUE)


def rewritten(asked: str, lean: Lean, before: str, answer: str) -> str | None:
    """The question made to stand alone by what `before` asked and `answer` said; None where the two must be asked together."""
    if lean.fragment:
        return _with_phrase(before, lean.fragment)
    content = [word for word in words(asked) if word not in STOP_WORDS and word not in _VAGUE]
    if lean.pronoun is None or not content:
        return None
    start, end = lean.pronoun
    said = asked[start:end].casefold()
    subject = pointing_en.subject(said, before, answer)
    if subject is None or subject.removeprefix("the ").casefold() in asked.casefold():
        return None
    owns = said in POSSESSIVE or (said == "her" and re.match(r"\s+\w", asked[end:]))
    return f"{asked[:start]}{subject}{chr(39) + 's' if owns else ''}{asked[end:]}"


def _is_phrase(text: str, said: Sequence[str]) -> bool:
    """Whether this is a single word or a short phrase with a preposition: "Contractors?", "In Germany?"."""
    if not said or ASKS.intersection(said):
        return False
    if len(said) <= 4 and "or" in said:  # "dry or fresh"
        return True
    if not text.rstrip().endswith("?"):
        return False
    return len(said) == 1 or (len(said) <= 5 and re.match(rf"{PREPOSITION}\b", text, re.IGNORECASE) is not None)


def _fragment(text: str) -> str:
    match = _FRAGMENT.match(text)
    return match.group(1).strip() if match else ""


def _with_phrase(before: str, fragment: str) -> str | None:
    """The question before with a phrase in place of the like one: of the same preposition, or with the same last word."""
    prepared = re.match(rf"({PREPOSITION})\s+(.+)", fragment, re.IGNORECASE)
    if prepared:
        preposition, new = prepared.groups()
        kind = NAME.pattern if new[0].isupper() else r"(?:the |an? )?[\w'’-]+(?: [\w'’-]+)?(?=[\s?.!]*$)"
        found = list(re.finditer(rf"(?<=\b{preposition.lower()} )(?:the )?{kind}", before))
        return f"{before[: found[-1].start()]}{new}{before[found[-1].end() :]}" if len(found) == 1 else None
    new_words = fragment.removeprefix("the ").split()
    like = re.compile(r"(?:[\w'’-]+ ){" + str(len(new_words) - 1) + "}" + re.escape(new_words[-1]) + r"\b")
    old = like.search(before) if len(new_words) > 1 else None
    if old is None or STOP_WORDS.intersection(old.group().lower().split()):
        return None
    return f"{before[: old.start()]}{' '.join(new_words)}{before[old.end() :]}"
