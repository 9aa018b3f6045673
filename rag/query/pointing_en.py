"""What English words point back to: pronouns and such words, the things that a question names itself, and names. Pure."""

from __future__ import annotations

import re

from rag.text.language import STOP_WORDS


def any_of(*alternatives: str) -> str:
    return f"(?:{'|'.join(alternatives)})"


PREPOSITION = any_of(*"for in at on with under by from to of during after before since until without per".split())
ASKS = frozenset(
    "is are was were do does did can could will would shall should must may might has have had what which who whom whose when where why"
    " how".split()
)
POSSESSIVE = frozenset({"its", "their", "theirs", "his", "hers"})
_PLURAL = frozenset({"they", "them", "their", "theirs"})
_PERSON = frozenset({"he", "him", "his", "she", "her", "hers"})
_PRONOUN_WORDS = ("it", "its", *sorted(_PLURAL | _PERSON))
# Capitals name something: the IT department, a novel called It.
_PRONOUN = re.compile(
    rf"\b{any_of(*_PRONOUN_WORDS)}\b|^{any_of(*map(str.capitalize, _PRONOUN_WORDS))}\b",
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
    r"\b(?:this|these|those)\b(?! (?:year|month|week|quarter|morning|time|document|file|page|collection|software|app|product|tool|program|company|system|platform|documentation)\b)"
    # "that" after a preposition or auxiliary, or last; elsewhere it opens a clause
    rf"|(?:^|\b(?:{PREPOSITION}|about|like|is|was|does|did|do|can|could|will|would|has)\s+)that\b|\bthat(?=\W*$)"
    r"|(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )(?<!\bbe )\bthere\b(?! (?:is|are|was|were|will|any|a|an)\b)"
    r"|\b(?:which|another|the \w+) ones?\b(?! of\b)"
    r"|\bthe same\b(?=\W*$| (?:apply|applies|go|goes|hold|holds|true|for|rule|rules)\b)"
    r"|\b(?:then|too|as well|instead|otherwise|again|the latter|the former|the others?)(?=\W*$)",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"[,;]|\b(?:if|when|while|because|once|until|unless|although|after|before|that|who|which|and|but)\b"
)
# "In the first year, ..." sets a scene and is nothing that a pronoun means.
_SCENE = re.compile(r"^(?:in|on|at|during|by|since|under|from)\b[^,]*,", re.IGNORECASE)
THING = re.compile(
    r"\b(?:the|an?|my|our|your|each|every|any|some|no)\s+(\w+)"
    r"|\b(?:which|what|how many)\s+(\w+)(?=\s+(?:do|does|did|is|are|was|were|can|should|will)\b)"
    r"|\b(?:is|are|was|were|do|does|did|can|could|should|will|would|must|may)\s+(?!(?:the|an?|my|our|your|each|any|some|no)\b)([a-z]\w+)",
    re.IGNORECASE,
)
_PLURAL_NOUN = re.compile(r"\b[a-z-]{3,}(?<!s)s\b|\b(?:people|staff|children|men|women)\b")
_NAME_WORD = r"[A-Z][\w'’&-]*"
NAME = re.compile(rf"{_NAME_WORD}(?:\s+(?:(?:of|de|van|von|der|la|le)\s+)?(?:the\s+)?[A-Z0-9][\w'’&-]*)*")
_NO_NAME = frozenset(
    "i i'm january february march april may june july august september october november december monday tuesday wednesday thursday"
    " friday saturday sunday tell please list name give explain describe show in on at for the a an my our".split()
)


def pronoun(text: str) -> re.Match[str] | None:
    """The first pronoun that nothing in its own question explains."""
    first = next((m for m in _PRONOUN.finditer(text) if not _NO_PRONOUN.match(text, m.start())), None)
    return None if first is None or _has_antecedent(text, first) else first


def pointer(text: str) -> re.Match[str] | None:
    """The first word such as "that" or "the second one" that nothing in its own question explains."""
    first = _POINTER.search(text)
    return None if first is None or _has_antecedent(text, first) else first


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
        return THING.search(part) is not None or bool(_names(part))

    governed = re.search(rf"\b{PREPOSITION}\s*$", own) is not None
    possessive = said in POSSESSIVE or said == "her"
    return names_it(earlier) or (possessive and not governed and names_it(own))


def _names(text: str) -> list[str]:
    """The names in a text, each once; a capital that only begins a question is none."""
    found = []
    for match in NAME.finditer(text):
        name = match.group()
        first, _, rest = name.partition(" ")
        if re.sub(r"['’]\w+$", "", first.casefold()) in ASKS | STOP_WORDS | _NO_NAME:
            name = rest
        if name and name[0].isupper() and name.casefold() not in _NO_NAME:
            found.append(re.sub(r"['’]s?$", "", name))
    return list(dict.fromkeys(found))


def subject(said: str, before: str, answer: str) -> str | None:
    """The one name that a pronoun can mean; None when there is none, or several to choose from."""
    asks_who = re.match(r"who\b(?!(?:['’]s| is| was| are| were)\s+[A-Z])", before, re.IGNORECASE)
    if said in _PERSON and asks_who:
        named = [name for name in _names(answer) if name not in before]
        return named[0] if len(named) == 1 else None
    named = _names(before)
    if len(named) != 1 or (said in _PLURAL and _PLURAL_NOUN.search(before)):
        return None
    # "the Kestrel valve": the name is only part of what the thing is called
    called = re.search(rf"\b(?:[Tt]he|an?) {re.escape(named[0])} ([a-z]+)(?<!ed)(?<!ing)\b", before)
    part = called and " " not in named[0] and called.group(1) not in STOP_WORDS
    if part:
        return None
    return f"the {named[0]}" if re.search(rf"\b[Tt]he {re.escape(named[0])}", before) else named[0]
