"""Whether the documents answer, and how sure the answer is: fitted chances, one calibration for each kind of model.

Four judgements. `topic`, before any model: is the question plainly about something else? `extractive`, where there is no model: has it an
answer? `local`, after the small model's yes or no, which
is weighed (a capable model's own No is believed). `certainty` of the finished answer: HIGH where answers of its kind are right nine times in
ten. Each is a logistic regression over named features, fitted by `docent eval calibrate` on questions in people's own words
and on questions that repeat the text; weights and thresholds stand in calibration.json. Pure but for reading that file, once.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from statistics import mean
from typing import Any

from rag.answering.prompts import NO, YES
from rag.errors import ConfigurationError
from rag.text.language import fold, names, query_terms, terms
from rag.types import Certainty, Evidence, Retrieval, Verdict
from rag.verification.verifier import Judgement as Judged

FILE = Path(__file__).with_name("calibration.json")
# The most that one log-probability ratio of the model may say, either way.
GATE_RANGE = 6.0
# What the least weight of a term of the question is, so that one that stands everywhere still counts.
LEAST_WEIGHT = 0.1
_NUMBER = re.compile(r"\d+")
# What may stand around a yes or no.
_AROUND = " .,:!\n*。，：！"

Features = Mapping[str, float]
FOUND = ("similarity", "best", "second", "coverage", "named")
"""The names of `found_features`."""
GATE = "gate"


class ModelKind(StrEnum):
    """Who writes the answer: the small local model, a capable one behind a URL, or nobody (quoted sentences)."""

    LOCAL = "local"
    HOSTED = "hosted"
    EXTRACTIVE = "extractive"


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A logistic regression with the least chance at which to go on (for `certainty`: to say HIGH)."""

    bias: float
    weights: Mapping[str, float]
    threshold: float

    def probability(self, features: Features) -> float:
        """sigmoid(bias + sum of weight times feature), 0..1. Missing features count as 0."""
        logit = self.bias + sum(weight * features.get(name, 0.0) for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


@lru_cache(maxsize=1)
def calibrated() -> Mapping[str, Calibrated]:
    """The judgements by name: "topic", "extractive", "local", and "certainty-" with each `ModelKind`.

    Raises:
        ConfigurationError: calibration.json is missing or damaged.
    """
    try:
        found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))["judgements"]
        return {
            name: Calibrated(float(item["bias"]), dict(item["weights"]), float(item["threshold"]))
            for name, item in found.items()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{FILE.name} cannot be used ({error}); restore it from the project.") from error


def found_features(retrieval: Retrieval, evidence: Sequence[Evidence]) -> dict[str, float]:
    """What retrieval and evidence say before any model, each 0..1.

    - similarity: how near the best vector is, on the embedder's own scale
    - best: the chance of the best block of the evidence, and of the second best run
    - coverage: share of the question's terms, by idf, that the evidence holds with its headings
    - named: share of the question's names and numbers that stand there; 1 when it has none
    """
    weight = {term: max(retrieval.idf.get(term, 0.0), LEAST_WEIGHT) for term in query_terms(retrieval.query)}
    shown = " ".join(f"{item.passage.heading or ''} {item.passage.filename} {item.text}" for item in evidence)
    held = weight.keys() & set(terms(shown))
    called, figures = names(retrieval.query) & weight.keys(), set(_NUMBER.findall(retrieval.query))
    mentioned = len(called) + len(figures)
    present = len(called & held) + sum(figure in shown for figure in figures)
    scores = sorted((item.score for item in evidence), reverse=True)
    return {
        "similarity": retrieval.similarity,
        "best": scores[0] if scores else 0.0,
        "second": scores[1] if len(scores) > 1 else 0.0,
        "coverage": sum(weight[term] for term in held) / (sum(weight.values()) or 1.0),
        "named": present / mentioned if mentioned else 1.0,
    }


def gate(alternatives: Mapping[str, float], said: str) -> float:
    """How much likelier the model finds yes than no, -1..1.

    The natural logarithm of the ratio of both chances for its first token, cut at `GATE_RANGE` and scaled by it. Where the server tells no
    chances, the word itself counts.
    """
    yes = no = 0.0
    for token, logprob in alternatives.items():
        word = token.strip(_AROUND).casefold()
        yes += math.exp(logprob) if word in YES else 0.0
        no += math.exp(logprob) if word in NO else 0.0
    if yes or no:
        ratio = math.log((yes + 1e-6) / (no + 1e-6))
        return max(-GATE_RANGE, min(GATE_RANGE, ratio)) / GATE_RANGE
    return -1.0 if fold(said).strip(_AROUND) in NO else 1.0


def written_features(judged: Sequence[Judged]) -> dict[str, float]:
    """What verification says of the answer's sentences, each 0..1.

    - kept: share of its claims that stand
    - verified: share of its claims that are verified, or were put right
    - support: the mean chance, of those that stand, that the sources support them
    - weakest: the least of these
    - single: 1 for one claim alone
    """
    standing = [each for each in judged if each.verdict not in (Verdict.UNSUPPORTED, Verdict.UNCITED)]
    proven = [each for each in judged if each.verdict in (Verdict.VERIFIED, Verdict.MISATTRIBUTED)]
    count = len(judged) or 1
    return {
        "kept": len(standing) / count,
        "verified": len(proven) / count,
        "support": mean(each.score for each in standing) if standing else 0.0,
        "weakest": min((each.score for each in standing), default=0.0),
        "single": float(len(judged) == 1),
    }


def certainty(kind: ModelKind, features: Features) -> tuple[Certainty, float]:
    """How sure a finished answer is, and the chance, 0..1, that it is right."""
    judgement = calibrated()[f"certainty-{kind}"]
    chance = judgement.probability(features)
    return (Certainty.HIGH if chance >= judgement.threshold else Certainty.LOW), chance
