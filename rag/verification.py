"""A sentence against the span it cites: does what can be checked without a model stand there? Pure.

Checked: numbers, names, quoted strings, and a floor on the share of content words. The floor is set so that a faithful
paraphrase passes; what it cannot see (swapped relations, a dropped "not") is documented in docs/architecture.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.language import fold, is_cjk, sentences, terms
from rag.types import Evidence

# Least share of a sentence's content terms that must stand in the cited text.
FLOOR_LATIN, FLOOR_CJK = 0.5, 0.45

_NUMBER = re.compile(r"[+\-−]?\d+(?:[.,，]\d+)*%?")
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
} | {"twenty": "20", "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "ninety": "90"}
_QUOTED = re.compile(r"[\"“「『《]([^\"”」』》]{2,200})[\"”」』》]")
_NAME = re.compile(r"\b[A-Z][\w'’-]*(?:\s+(?:of|the|and|de|van|von)\s+[A-Z][\w'’-]*|\s+[A-Z][\w'’-]*)*")
_LATIN_IN_CJK = re.compile(r"[A-Za-z][A-Za-z0-9.\-]*")


@dataclass(frozen=True, slots=True)
class Support:
    """What a span gives a sentence: `overlap` 0..1, and what of the sentence does not stand there."""

    overlap: float
    missing: tuple[str, ...]
    floor: float

    @property
    def holds(self) -> bool:
        """Whether the sentence may cite the span."""
        return not self.missing and self.overlap >= self.floor


def statement(sentence: str) -> str:
    """What a sentence says, without white space around it and the number or bullet of a list item before it."""
    return re.sub(r"^(?:\d{1,3}(?:[.)](?=\s)|、)|[-*•](?=\s))\s*", "", sentence.strip())


def check(sentence: str, span: str, *, context: str = "") -> Support:
    """Hold a sentence (without marks) against the span it cites.

    Numbers and quoted strings must stand in `span`; names in `span` or `context` (heading, file name and passage
    around it, which tell what the span is about).
    """
    wanted = set(terms(sentence)) or set(terms(sentence, stop_words=True))
    held = set(terms(span, stop_words=True)) | set(terms(context, stop_words=True))
    overlap = len(wanted & held) / len(wanted) if wanted else 0.0
    missing = [
        *_missing_numbers(sentence, span),
        *_missing_quotes(sentence, span),
        *_missing_names(sentence, f"{span}\n{context}"),
    ]
    return Support(overlap, tuple(missing), FLOOR_CJK if is_cjk(sentence) else FLOOR_LATIN)


def best_span(sentence: str, evidence: Evidence) -> tuple[int, int, Support]:
    """The shortest part of an evidence run that supports a sentence best: one sentence of it, else the whole run.

    Returns document offsets (start, end) and the support.
    """
    context = context_of(evidence)
    spans = sentences(evidence.text)
    checked = [(check(sentence, evidence.text[start:end], context=context), start, end) for start, end in spans]
    best = max(checked, key=lambda item: (item[0].holds, own_overlap(sentence, evidence.text[item[1] : item[2]])))
    if best[0].holds:
        return evidence.start + best[1], evidence.start + best[2], best[0]
    return evidence.start, evidence.end, check(sentence, evidence.text, context=context)


def own_overlap(sentence: str, span: str) -> float:
    """The share of a sentence's content terms that stand in the span itself, 0..1."""
    wanted = set(terms(sentence)) or set(terms(sentence, stop_words=True))
    return len(wanted & set(terms(span, stop_words=True))) / len(wanted) if wanted else 0.0


def context_of(evidence: Evidence) -> str:
    """What tells what a span is about: its heading path and its file's name."""
    return f"{evidence.passage.heading or ''}\n{re.sub(r'[_.-]+', ' ', evidence.passage.filename)}"


def numbers(text: str) -> set[str]:
    """The numbers of a text in one form: no thousands separators, number words up to twelve as digits."""
    folded = fold(text)
    found = {_plain(match) for match in _NUMBER.findall(folded)}
    found |= {_NUMBER_WORDS[word] for word in re.findall(r"[a-z]+", folded) if word in _NUMBER_WORDS}
    return found


def _plain(number: str) -> str:
    number = number.lstrip("+-−").rstrip("%")
    number = re.sub(r"[,，](?=\d{3}(?:\D|$))", "", number)
    return re.sub(r"\.0+$", "", number.replace("，", ","))


def _missing_numbers(sentence: str, span: str) -> list[str]:
    in_digits = {_plain(match) for match in _NUMBER.findall(fold(sentence))}
    return sorted(in_digits - numbers(span))


def _missing_quotes(sentence: str, span: str) -> list[str]:
    flat = _flat(span)
    return [quote for quote in _QUOTED.findall(sentence) if _flat(quote) not in flat]


def _missing_names(sentence: str, text: str) -> list[str]:
    flat = _flat(text)
    if is_cjk(sentence):
        return [name for name in _LATIN_IN_CJK.findall(sentence) if _flat(name) not in flat]
    found = []
    for match in _NAME.finditer(sentence):
        name = match.group()
        at_start = not sentence[: match.start()].strip(" \n\t\"'“‘(-*•")
        parts = name.split()
        if at_start:
            # the first word is capitalised anyway, so it alone names nothing
            parts = parts[1:]
        found += [part for part in parts if part[0].isupper() and len(part) > 1 and _flat(_bare(part)) not in flat]
    return found


def _bare(word: str) -> str:
    return re.sub(r"['’]s?$", "", word)


def _flat(text: str) -> str:
    return re.sub(r"[\s,，]+", "", fold(text))


def best_evidence(sentence: str, evidence: Sequence[Evidence]) -> tuple[Evidence, int, int, Support] | None:
    """The evidence that supports a sentence best, with the span (document offsets); None when none holds."""
    held = [(item, *best_span(sentence, item)) for item in evidence]
    holding = [item for item in held if item[3].holds]
    return max(holding, key=lambda item: (item[3].overlap, item[0].score)) if holding else None
