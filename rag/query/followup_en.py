"""English questions that lean on the one before, and how one is rewritten. Pure.

Whether one leans is a logistic regression over few features: a word that points back to nothing in its own question, an opener
("and ...", "what about ..."), a phrase without a verb, and above all how many words it has that were not said before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass

from rag.language import STOP_WORDS, stem, words


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
BIAS = 2.66
WEIGHTS = {
    "pronoun": 3.13,
    "pointer": 2.7,
    "opener": 0.26,
    "phrase": 1.37,
    "1 own": -1.43,
    "2 own": -2.76,
    "3 own": -0.57,
    "own thing": -2.73,
    "phrase of own": 0.08,
    "known words": 0.29,
    "only general words": 0.52,
    "no words": 0.81,
}


def _any(*alternatives: str) -> str:
    return f"(?:{'|'.join(alternatives)})"


_QUOTATION = re.compile(r"“[^”]*”|\"[^\"]*\"|《[^》]*》|「[^」]*」")
_OPENER = re.compile(
    _any("and", "but", "or", "so", "also", "then", "plus", "(?:what|how) about", "same for", "in that case")
    + r"\b|"
    + _any("what", "who", "where", "anything", "anyone")
    + r" else\b",
    re.IGNORECASE,
)
_FRAGMENT = re.compile(
    r"(?:and|or|but|also|so)?\s*(?:(?:what|how) about|the same for|same for)?\s*(.+?)[\s?.!]*$", re.IGNORECASE
)
_PREPOSITION = _any(*"for in at on with under by from to of during after before since until without per".split())
# Words that ask for something without saying for what; with stop words alone they make no question.
_VAGUE = frozenset(
    "long much many often far old big tall high large soon late exactly precisely year month day date time kind type sort else come please"
    " tell say give show explain elaborate detail example exception reason mean continue go further specific specifically another"
    " one ones two first second might must may shall since per without yet now whats hows wheres"
    " dont doesnt cant wont isnt im ive pls plz thx btw".split()
)
# Nouns and participles of which every subject has some: asked for alone, they are those of the subject before.
_GENERAL = frozenset(
    "price cost fee charge deadline limit cap maximum minimum max min exception default size weight length width height colour color"
    " difference requirement required step procedure condition rule penalty consequence benefit drawback advantage disadvantage"
    " number phone email address contact alternative option included allowed permitted possible available needed necessary safe"
    " common ok okay free nothing everything something same sure short shorter longer simple simpler words again biggest"
    " cheapest fastest oldest newest next previous happen happens apply applies include includes cover covers count counts need get buy find use used do done know".split()
)
_ASKS = frozenset(
    "is are was were do does did can could will would shall should must may might has have had what which who whom whose when where why"
    " how".split()
)
_POSSESSIVE = frozenset({"its", "their", "theirs", "his", "hers"})
_PLURAL = frozenset({"they", "them", "their", "theirs"})
_PERSON = frozenset({"he", "him", "his", "she", "her", "hers"})
_PRONOUN_WORDS = ("it", "its", *sorted(_PLURAL | _PERSON))
# Capitals name something: the IT department, a novel called It.
_PRONOUN = re.compile(
    rf"\b{_any(*_PRONOUN_WORDS)}\b|^{_any(*map(str.capitalize, _PRONOUN_WORDS))}\b",
)
_NO_PRONOUN = re.compile(
    r"it(?=\s+(?:support|department|team|staff|helpdesk|help desk|security|manager|equipment|systems?)\b)"
    r"|it(?=\s+(?:runs?|works?)\s+(?:on|with|under|without)\b|\s+supports?\b)"  # the product itself
    r"|(?<=\b(?:time|date) is )it\b|(?<=\bday is )it\b"
    # "is it possible to ...", "how long does it take to ..."
    r"|it(?=\s+(?:\w+\s+)?(?:possible|allowed|permitted|legal|necessary|required|mandatory|true|ok|okay|safe|important|takes?|costs?|means?)"
    r"\s+(?:\w+\s+){0,4}(?:to|that|for)\s+\w)"
)
_POINTER = re.compile(
    r"\b(?:this|these|those)\b(?! (?:year|month|week|quarter|morning|time|document|file|page|collection)\b)"
    # "that" after a preposition or auxiliary, or last; elsewhere it opens a clause
    rf"|(?:^|\b(?:{_PREPOSITION}|about|like|is|was|does|did|do|can|could|will|would|has)\s+)that\b|\bthat(?=\W*$)"
    r"|(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )(?<!\bbe )\bthere\b(?! (?:is|are|was|were|will|any|a|an)\b)"
    r"|\b(?:which|another|the \w+) ones?\b(?! of\b)"
    r"|\bthe same\b(?=\W*$| (?:apply|applies|go|goes|hold|holds|true|for|rule|rules)\b)"
    r"|\b(?:then|too|as well|instead|otherwise|again|the latter|the former|the others?)(?=\W*$)",
    re.IGNORECASE,
)
_CAPITALS = re.compile(r"\b[A-Z]{2,}\b")  # "IT", "CEO"
_CLAUSE = re.compile(
    r"[,;]|\b(?:if|when|while|because|once|until|unless|although|after|before|that|who|which|and|but)\b"
)
# "In the first year, ..." sets a scene and is nothing that a pronoun means.
_SCENE = re.compile(r"^(?:in|on|at|during|by|since|under|from)\b[^,]*,", re.IGNORECASE)
_THING = re.compile(r"\b(?:the|an?|my|our|your|each|every|any|some|no)\s+(\w+)", re.IGNORECASE)
_PLURAL_NOUN = re.compile(r"\b[a-z-]{3,}(?<!s)s\b|\b(?:people|staff|children|men|women)\b")
_NAME_WORD = r"[A-Z][\w'’&-]*"
_NAME = re.compile(rf"{_NAME_WORD}(?:\s+(?:(?:of|de|van|von|der|la|le)\s+)?(?:the\s+)?[A-Z0-9][\w'’&-]*)*")
_NO_NAME = frozenset(
    "i i'm january february march april may june july august september october november december monday tuesday wednesday thursday"
    " friday saturday sunday tell please list name give explain describe show in on at for the a an my our".split()
)


def leaning(asked: str, before: Set[str]) -> Lean | None:
    """How a question leans on the one before; None where it stands alone. `before`: terms of what was said there."""
    text = _unquoted(asked)
    told = features(asked, before)
    if sum(WEIGHTS[name] * value for name, value in told.items()) + BIAS <= 0:
        return None
    pronoun = _pronoun(text)
    if pronoun:
        return Lean(pronoun=pronoun.span())
    return Lean(fragment=_fragment(text) if told["phrase"] else "")


def features(asked: str, before: Set[str]) -> dict[str, float]:
    """What tells whether a question leans on the one before, whose terms are `before`; each 0 or 1 but for the counts."""
    text = _unquoted(asked)
    said = [word for word in words(text) if len(word) > 1]
    opener = _OPENER.match(text)
    content = [word for word in said if not _is_vague(word)]
    subject = [word for word in content if word not in _GENERAL and word.removesuffix("s") not in _GENERAL]
    own = sum(stem(word) not in before for word in subject) + (text != asked and not asked.isupper())
    pointer = _POINTER.search(text)
    points = pointer is not None and not _has_antecedent(text, pointer)
    pronoun = _pronoun(text) is not None
    things = [word for match in _THING.finditer(text) for word in words(match.group(1))]
    has_thing = any(stem(word) not in before for word in things if word in subject) or text != asked
    named = _CAPITALS.search(text) is not None
    phrase = (bool(opener) or _is_phrase(text, said)) and not _ASKS.intersection(said[2:] if opener else said)
    return {
        "pronoun": float(pronoun),
        "pointer": float(points),
        "opener": float(opener is not None),
        "phrase": float(phrase),
        **{f"{least} own": float(own >= least) for least in (1, 2, 3)},
        "own thing": float((has_thing or named) and not (pronoun or points)),
        "phrase of own": min(own, MOST_WORDS) * float(phrase),
        "known words": min(max(len(subject) - own, 0), MOST_WORDS),
        "only general words": float(not subject and bool(content)),
        "no words": float(not content and text == asked),
    }


def _unquoted(asked: str) -> str:
    return _QUOTATION.sub(lambda match: " " * len(match.group()), asked.lower() if asked.isupper() else asked)


def _is_vague(word: str) -> bool:
    return word in STOP_WORDS or word in _VAGUE or word.removesuffix("s") in _VAGUE or word in _ASKS


def _pronoun(text: str) -> re.Match[str] | None:
    """The first pronoun that nothing in its own question explains."""
    first = next((m for m in _PRONOUN.finditer(text) if not _NO_PRONOUN.match(text, m.start())), None)
    return None if first is None or _has_antecedent(text, first) else first


def rewritten(asked: str, lean: Lean, before: str, answer: str) -> str | None:
    """The question made to stand alone by what `before` asked and `answer` said; None where the two must be asked together."""
    if lean.fragment:
        return _with_phrase(before, lean.fragment)
    content = [word for word in words(asked) if word not in STOP_WORDS and word not in _VAGUE]
    if lean.pronoun is None or not content:
        return None
    start, end = lean.pronoun
    said = asked[start:end].casefold()
    subject = _subject(said, before, answer)
    if subject is None or subject.removeprefix("the ").casefold() in asked.casefold():
        return None
    owns = said in _POSSESSIVE or (said == "her" and re.match(r"\s+\w", asked[end:]))
    return f"{asked[:start]}{subject}{chr(39) + 's' if owns else ''}{asked[end:]}"


def _is_phrase(text: str, said: Sequence[str]) -> bool:
    """Whether this is a single word or a short phrase with a preposition: "Contractors?", "In Germany?"."""
    if not said or not text.rstrip().endswith("?") or _ASKS.intersection(said):
        return False
    return len(said) == 1 or (len(said) <= 5 and re.match(rf"{_PREPOSITION}\b", text, re.IGNORECASE) is not None)


def _fragment(text: str) -> str:
    match = _FRAGMENT.match(text)
    return match.group(1) if match else ""


def _has_antecedent(text: str, pointing: re.Match[str]) -> bool:
    """Whether the question itself names what a word in it points to.

    A thing in a clause before; for a possessive also one in its own clause ("does the warranty cover its battery"), but
    not the one that it belongs to ("the cause of its failure").
    """
    before = _SCENE.sub("", text[: pointing.start()])
    said = pointing.group().casefold()
    cuts = [cut.start() for cut in _CLAUSE.finditer(before)]
    earlier, own = (before[: cuts[-1]], before[cuts[-1] :]) if cuts else ("", before)

    def names_it(part: str) -> bool:
        if said in _PLURAL:
            return _PLURAL_NOUN.search(part) is not None or " and " in part or bool(_names(part))
        return _THING.search(part) is not None or bool(_names(part))

    governed = re.search(rf"\b{_PREPOSITION}\s*$", own) is not None
    possessive = said in _POSSESSIVE or said == "her"
    return names_it(earlier) or (possessive and not governed and names_it(own))


def _names(text: str) -> list[str]:
    """The names in a text, each once; a capital that only begins a question is none."""
    found = []
    for match in _NAME.finditer(text):
        name = match.group()
        first, _, rest = name.partition(" ")
        if re.sub(r"['’]\w+$", "", first.casefold()) in _ASKS | STOP_WORDS | _NO_NAME:
            name = rest
        if name and name[0].isupper() and name.casefold() not in _NO_NAME:
            found.append(re.sub(r"['’]s?$", "", name))
    return list(dict.fromkeys(found))


def _subject(pronoun: str, before: str, answer: str) -> str | None:
    """The one name that a pronoun can mean; None when there is none, or several to choose from."""
    asks_who = re.match(r"who\b(?!(?:['’]s| is| was| are| were)\s+[A-Z])", before, re.IGNORECASE)
    if pronoun in _PERSON and asks_who:
        named = [name for name in _names(answer) if name not in before]
        return named[0] if len(named) == 1 else None
    named = _names(before)
    if len(named) != 1 or (pronoun in _PLURAL and _PLURAL_NOUN.search(before)):
        return None
    # "the Kestrel valve": the name is only part of what the thing is called
    called = re.search(rf"\b(?:[Tt]he|an?) {re.escape(named[0])} ([a-z]+)(?<!ed)(?<!ing)\b", before)
    part = called and " " not in named[0] and called.group(1) not in STOP_WORDS
    if part:
        return None
    return f"the {named[0]}" if re.search(rf"\b[Tt]he {re.escape(named[0])}", before) else named[0]


def _with_phrase(before: str, fragment: str) -> str | None:
    """The question before with a phrase in place of the like one: of the same preposition, or with the same last word."""
    prepared = re.match(rf"({_PREPOSITION})\s+(.+)", fragment, re.IGNORECASE)
    if prepared:
        preposition, new = prepared.groups()
        kind = _NAME.pattern if new[0].isupper() else r"(?:the |an? )?[\w'’-]+(?: [\w'’-]+)?(?=[\s?.!]*$)"
        found = list(re.finditer(rf"(?<=\b{preposition.lower()} )(?:the )?{kind}", before))
        return f"{before[: found[-1].start()]}{new}{before[found[-1].end() :]}" if len(found) == 1 else None
    new_words = fragment.removeprefix("the ").split()
    like = re.compile(r"(?:[\w'’-]+ ){" + str(len(new_words) - 1) + "}" + re.escape(new_words[-1]) + r"\b")
    old = like.search(before) if len(new_words) > 1 else None
    if old is None or STOP_WORDS.intersection(old.group().lower().split()):
        return None
    return f"{before[: old.start()]}{' '.join(new_words)}{before[old.end() :]}"
