"""Whether the documents answer, as one probability: before the model, and again once the model has said yes or no.

The one place where retrieval, evidence and the model's own doubt are combined. Both judgements are logistic regressions
over named features, fitted by `python -m rag.evaluation calibrate` on development sets; weights and thresholds stand in
calibration.json, the curve of risk against coverage in docs/decisions/0005-abstention.md. Pure but for reading that file, once.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rag.errors import ConfigurationError
from rag.expectation import expected, holds
from rag.focus import name_terms
from rag.language import fold, names, query_terms, terms
from rag.prompts import NO, YES, Opening
from rag.scoring import score_sentences
from rag.types import Evidence, Retrieval
from rag.verification.contradiction import turned

FILE = Path(__file__).with_name("calibration.json")
# Passages whose sentences are looked at before the model is asked.
CONSIDERED = 5
# The most that one log-probability ratio of the model may say, either way.
GATE_RANGE = 6.0
# What an answer is worth where the chance of yes is not told: the median of what the local model tells.
YES_ALONE = 0.5
_NUMBER = re.compile(r"\d+")

Features = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A logistic regression: `probability` is sigmoid(bias + sum of weight times feature)."""

    bias: float
    weights: Mapping[str, float]
    threshold: float

    def probability(self, features: Features) -> float:
        """That the documents answer, 0..1. Missing features count as 0."""
        logit = self.bias + sum(weight * features.get(name, 0.0) for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


@lru_cache(maxsize=1)
def judgements() -> Mapping[str, Judgement]:
    """The fitted judgements by name: "retrieval" before the model, "model" after its yes or no.

    Raises:
        ConfigurationError: calibration.json is missing or damaged.
    """
    try:
        found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))["judgements"]
        return {
            name: Judgement(float(item["bias"]), dict(item["weights"]), float(item["threshold"]))
            for name, item in found.items()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{FILE.name} cannot be used ({error}); restore it from the project.") from error


def features(retrieval: Retrieval, evidence: Sequence[Evidence], *, translated: bool = False) -> dict[str, float]:
    """What retrieval and evidence say, each 0..1.

    - coverage: share of the question's terms, by rarity, that the best sentence with its neighbours and headings holds
    - own: the same of the best single sentence alone
    - shown: the same of all the evidence together
    - rarest: 1 when the question's rarest term stands in the evidence
    - named: share of the question's names and numbers that stand in the evidence; 1 when it has none
    - kind: the evidence holds the kind of thing asked for; .5 when the question does not tell
    - turned: 1 when the best sentence says the opposite of what the question supposes ("Who did not sign?")
    - closeness: the best cosine on the embedder's own scale from unrelated to related
    - zh: 1 for a Chinese question that was searched as it was asked; coverage_zh: its coverage, for its terms are pairs of
      characters; a `translated` question shares few of them with what answers it
    """
    question = retrieval.query
    wanted = {term: max(retrieval.rarity.get(term, 0.0), 0.1) for term in query_terms(question)}
    total = sum(wanted.values()) or 1.0
    sentences = score_sentences(question, retrieval.passages[:CONSIDERED], retrieval.rarity)
    held: set[str] = set()
    for item in evidence:
        held |= set(terms(item.text)) | set(terms(item.passage.heading or "")) | name_terms(item.passage.filename)
    called = names(question) & wanted.keys()
    figures = set(_NUMBER.findall(question))
    shown_figures = set(_NUMBER.findall(fold(" ".join(item.text for item in evidence))))
    mentioned = len(called) + len(figures)
    kind = expected(question)
    rarest = max(wanted, key=lambda term: wanted[term], default=None)
    best = max(sentences, key=lambda sentence: sentence.own, default=None)
    coverage = max((sentence.coverage for sentence in sentences), default=0.0)
    chinese = float(retrieval.language == "zh" and not translated)
    spoken = retrieval.passages[best.passage].text[best.start : best.end] if best else ""
    return {
        "coverage": coverage,
        "coverage_zh": coverage * chinese,
        "own": max((sentence.own for sentence in sentences), default=0.0),
        "shown": sum(weight for term, weight in wanted.items() if term in held) / total,
        "rarest": float(rarest in held),
        "named": (len(called & held) + len(figures & shown_figures)) / mentioned if mentioned else 1.0,
        "kind": 0.5 if kind is None else float(any(holds(kind, item.text) for item in evidence)),
        "turned": float(bool(turned(question, spoken))),
        "closeness": retrieval.closeness,
        "zh": chinese,
    }


def gate(opening: Opening) -> float:
    """How much likelier the model finds yes than no, -1..1.

    The natural logarithm of the ratio of both chances for its first token, cut at `GATE_RANGE` and scaled by it. Where the
    server tells no chances, the word itself counts: a model that says no is believed, one that answers only in part.
    """
    yes = no = 0.0
    for token, logprob in opening.alternatives.items():
        word = token.strip(" .,:\n*").casefold()
        yes += math.exp(logprob) if word in YES else 0.0
        no += math.exp(logprob) if word in NO else 0.0
    if yes or no:
        ratio = math.log((yes + 1e-6) / (no + 1e-6))
        return max(-GATE_RANGE, min(GATE_RANGE, ratio)) / GATE_RANGE
    return -1.0 if opening.says_no else YES_ALONE
