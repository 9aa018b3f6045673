"""The fitted model: how likely it is that a text supports a sentence of which all facts stand there. Pure but for reading its file, once.

A logistic regression over few features, each of which may only speak for what it is meant to speak for (`SIGNS`): a sentence is not
doubted for sharing words with its source. `docent eval fit-sentences FILE...` fits it and writes model.json.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FILE = Path(__file__).with_name("model.json")
# The features that the model weighs, and which way each may count. Those left out gained nothing in any fold, or were learnt
# differently from English than from Chinese rows.
SIGNS: Mapping[str, int] = {
    "rearranged": -1,
    "replaced": -1,
    "moved": -1,
    "inserted": -1,
    "omitted": -1,
    "swapped_fact": -1,
    "misbound": -1,
    "denial": -1,
    "turned": -1,
    "nearer": -1,
    "adds_all": -1,
    "drops_all": -1,
    "drops_only": -1,
    "drops_may": -1,
    "adds_must": -1,
    "adds_if": -1,
}


@dataclass(frozen=True, slots=True)
class SupportModel:
    """`probability` is sigmoid(bias + sum of weight times feature); at `threshold` and above a sentence is kept."""

    bias: float
    weights: Mapping[str, float]
    threshold: float

    def probability(self, features: Mapping[str, float]) -> float:
        """That the text supports the sentence, 0..1. Missing features count as 0."""
        logit = self.bias + sum(weight * features.get(name, 0.0) for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


@lru_cache(maxsize=1)
def support_model() -> SupportModel:
    """The model of model.json."""
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    return SupportModel(float(stored["bias"]), stored["weights"], float(stored["threshold"]))
