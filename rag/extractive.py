"""Sentences of the evidence themselves, quoted, each citing itself: the answer without a model, and what a model left out. Pure.

They are the whole answer when `DOCENT_LLM=extractive`, and when the chat model does not answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from rag.injection import gives_orders
from rag.language import is_cjk, leans_back, leans_forward, sentences
from rag.scoring import CELLS, ITEM, Candidate, score_sentences
from rag.types import Evidence
from rag.verification.contradiction import clauses, denies
from rag.verification.multi_span import Span
from rag.verification.overlap import overlap_of
from rag.verification.statements import statement, states_something

MAX_SENTENCES = 3
# A further sentence is quoted only if it comes this close to the best one.
NEAR_BEST = 0.8
# How much of a sentence that no source supports must stand in one that is quoted in its place.
NEAREST = 0.3
_ENDED = re.compile(r"[.!。！][”’」』）)\]\"'*_]*$")
_CONNECTIVE = re.compile(
    r"^(?:however|but|and|so|also|then|yet|thus|hence|therefore|additionally|furthermore|moreover|nevertheless|nonetheless|finally"
    r"|in addition|as a result)\b,?\s*|^(?:但是?|而且?|然而|不过|因此|所以|此外|另外|同时|并且?|最后)[，,]?",
    re.IGNORECASE,
)
# Words in a heading or lead-in that keep out what stands below, beside plain denials.
_BARS = re.compile(
    r"\b(?:exclu\w+|except(?:ions?|ed|ing)?|limitations?|ineligib\w+|exempt\w*|uncovered|uninsured|non-?(?:cover|eligib|reimburs|refund)\w*"
    r"|refus\w+|prohibit\w*|forbid\w*)\b|除外|排除|例外|免责|禁|拒",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"(?:\w+ ){0,3}(?:these|those|this|such(?! as\b)|that (?:case|event|way|time|point|reason)|the (?:above|latter|former|other))\b"
    r"|(?:otherwise|instead|likewise|similarly|if (?:so|not)|even so|after that|unlike|another|\w+ of (?:them|which))\b"
    r"|the (?:first|second|third|fourth|fifth|last|next)\b|(?:否则|反之|同样|前者|后者|上述|以上)|.{0,4}[它他她其此这那该]",
    re.IGNORECASE,
)
# Characters of a sentence that tells something by itself.
SHORTEST_LATIN, SHORTEST_CJK = 15, 6


def extract(question: str, evidence: Sequence[Evidence], rarity: Mapping[str, float]) -> list[list[Span]]:
    """The sentences that answer best, in order of worth: each with all the places where it stands in the same words, as
    evidence and document offsets (start, end).

    One that only announces what follows it is none of them.
    """
    found: dict[str, list[Span]] = {}
    least = 0.0
    for candidate, said, (item, start, end) in _telling(question, evidence, rarity):
        if candidate.score < least:
            break
        if len(found) == MAX_SENTENCES and said not in found:
            continue
        least = least or NEAR_BEST * candidate.score
        places = found.setdefault(said, [])
        if not any((item.passage.document_id, start) == (other.passage.document_id, at) for other, at, _ in places):
            places.append((item, start, end))
    return list(found.values())


def self_contained(question: str, evidence: Sequence[Evidence], rarity: Mapping[str, float]) -> list[Span]:
    """The sentences of the evidence that can be quoted beside others, the best first: whole ones that open with nothing which only
    the sentence before explains.

    Nothing whose heading or lead-in denies what it affirms ("Routine dental care" of what is not covered), no item of a list without
    a lead-in, no row of a table, and nothing of a passage that gives a model orders.
    """
    found = []
    giving_orders = {item.passage.chunk_id for item in evidence if _holds_orders(item.passage.text)}
    for candidate, said, span in _telling(question, evidence, rarity):
        item, start, _ = span
        lead_in = candidate.header or (item.header if start == item.start else "")
        if item.passage.chunk_id in giving_orders or not _stands_alone(said) or (ITEM.match(said) and not lead_in):
            continue
        if denies(said) or not any(map(_bars, [*(item.passage.heading or "").split(" > "), lead_in])):
            found.append(span)
    return found


def nearest(sentence: str, spans: Sequence[Span], question: str) -> Span | None:
    """The sentence, of those that can be quoted, that says most of what `sentence` says; None where none says `NEAREST` of it.

    What it says of the question's subject counts, so that one that tells another thing of it is put right.
    """
    held = [
        (overlap_of(sentence, item.passage.between(start, end), question=question), -n)
        for n, (item, start, end) in enumerate(spans)
    ]
    most, n = max(held, default=(0.0, 0))
    return spans[-n] if most >= NEAREST else None


def _stands_alone(sentence: str) -> bool:
    """Whether a sentence is whole, and no row of a table, question or label, and opens with no word that points back."""
    opening = statement(sentence).lstrip("*_#>“\"' ")
    short = len(opening) < (SHORTEST_CJK if is_cjk(opening) else SHORTEST_LATIN)
    if short or CELLS in sentence or not _ENDED.search(sentence) or opening[:1].islower():
        return False
    if sum(map(sentence.count, "(（")) != sum(map(sentence.count, ")）")):
        return False
    body = _CONNECTIVE.sub("", opening)
    return not leans_back(body[:1].upper() + body[1:]) and not _POINTS_BACK.match(body)


def _bars(above: str) -> bool:
    """Whether a heading or lead-in says that what stands below is not so."""
    return _BARS.search(above) is not None or any(clause.polarity == {1} for clause in clauses(above))


def _holds_orders(text: str) -> bool:
    return any(gives_orders(statement(text[start:end])) for start, end in sentences(text))


def _telling(
    question: str, evidence: Sequence[Evidence], rarity: Mapping[str, float]
) -> Iterator[tuple[Candidate, str, Span]]:
    """The sentences of the evidence that tell something, the best first, each with its words and its place."""
    scored = score_sentences(question, [item.passage for item in evidence], rarity)
    for candidate in sorted(scored, key=lambda c: -c.score):
        item = evidence[candidate.passage]
        start = item.passage.char_start + candidate.start
        end = item.passage.char_start + candidate.end
        said = " ".join(item.passage.text[candidate.start : candidate.end].split())
        if item.start <= start and end <= item.end and states_something(said) and not leans_forward(said):
            yield candidate, said, (item, start, end)
