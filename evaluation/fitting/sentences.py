"""Fits the model of verification (rag/verification/model.json) from labelled sentences, and measures it by folds over
source files.

Rows that a missing fact or a contradiction decides by itself are left out of the fit: the model weighs the rest.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluation.fitting.certainty import fit_logistic, sigmoid
from evaluation.sentences import Row, evidence_of
from rag.ports import Embedder
from rag.verification.alignment import same_words, similarities
from rag.verification.features import best_matches, compare, coverage
from rag.verification.model import SIGNS
from rag.verification.reading import Reader, joined
from rag.verification.spans import context_of
from rag.verification.statements import statement
from rag.verification.verifier import objections

Floats = npt.NDArray[np.float64]

# Strength of the ridge, and the share that the threshold keeps of the faithful sentences that no fact decided against.
L2, KEPT = 2.0, 0.98
FOLDS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """Rows as numbers: features, shape (n, len(SIGNS)), labels, whether a fact decides, a fold by source file."""

    values: Floats
    labels: Floats
    decided: npt.NDArray[np.bool_]
    folds: npt.NDArray[np.int64]


def observe(rows: Sequence[Row], embedder: Callable[[], Embedder] | Embedder | None) -> Observed:
    """The features of each row against what it cites."""
    reader = Reader(embedder)
    values, decided = [], []
    for row in rows:
        features, objected = _features(row, reader)
        values.append([features.get(name, 0.0) for name in SIGNS])
        decided.append(objected)
    labels = [float(row["label"] == "supported") for row in rows]
    folds = [zlib.crc32(row["sources"][0]["file"].encode()) % FOLDS for row in rows]
    return Observed(np.array(values), np.array(labels), np.array(decided), np.array(folds))


def _features(row: Row, reader: Reader) -> tuple[dict[str, float], bool]:
    evidence, question = evidence_of(row), row.get("question", "")
    mine, *texts = reader.read([statement(row["sentence"]), *(item.text for item in evidence)])
    covers = [
        coverage(mine.words, best_matches(mine, similarities(mine, text, same_words(mine.words, text.words))), question)
        for text in texts
    ]
    cited = [at for at, item in enumerate(evidence) if item.n in row["cited"]]
    other = max((value for at, value in enumerate(covers) if at not in cited), default=0.0)
    text = joined([texts[at] for at in cited])
    context = "\n".join(context_of(evidence[at]) for at in cited)
    compared = compare(mine, text, context=context, question=question, other=other)
    return dict(compared.features), bool(objections(compared, text, mine))


def fit(observed: Observed) -> tuple[Floats, float]:
    """Weights and bias. A feature that would count against its sign is left out, the worst first."""
    open_rows = ~observed.decided
    values, labels = observed.values[open_rows], observed.labels[open_rows]
    weights_of_rows = np.where(labels == 1, 0.5 / max(labels.sum(), 1), 0.5 / max((1 - labels).sum(), 1)) * len(labels)
    signs = np.array(list(SIGNS.values()), dtype=float)
    active = np.flatnonzero(values.std(axis=0) > 0)
    while True:
        weights, bias = fit_logistic(values[:, active], labels, weights_of_rows, l2=L2)
        wrong = weights * signs[active] < 0
        if not wrong.any():
            break
        worst = int(np.where(wrong, np.abs(weights) * values[:, active].std(axis=0), -1).argmax())
        active = np.delete(active, worst)
    found = np.zeros(len(SIGNS))
    found[active] = weights
    return found, float(bias)


def chances(observed: Observed, weights: Floats, bias: float) -> Floats:
    """The chance of support of each row; 0 where a fact decides."""
    return np.where(observed.decided, 0.0, sigmoid(observed.values @ weights + bias))


def threshold_of(observed: Observed, p: Floats) -> float:
    """The threshold that keeps the share `KEPT` of the faithful sentences that facts left."""
    return float(np.quantile(p[(observed.labels == 1) & ~observed.decided], 1 - KEPT))


def cross_validated(observed: Observed) -> dict[str, float]:
    """Faithful kept and false rejected where no row was seen in the fit or the threshold: by folds over source
    files.
    """
    kept = np.zeros(len(observed.labels), dtype=bool)
    for fold in range(FOLDS):
        held = observed.folds == fold
        rest = _part(observed, ~held)
        weights, bias = fit(rest)
        least = threshold_of(rest, chances(rest, weights, bias))
        kept[held] = _kept(_part(observed, held), weights, bias, least)
    return _shares(observed, kept)


def transferred(seen: Observed, unseen: Observed) -> dict[str, float]:
    """The same where the fit saw other files only, as those of another language."""
    weights, bias = fit(seen)
    return _shares(unseen, _kept(unseen, weights, bias, threshold_of(seen, chances(seen, weights, bias))))


def to_json(observed: Observed, files: Sequence[str]) -> dict[str, Any]:
    """The fitted model as model.json holds it."""
    weights, bias = fit(observed)
    return {
        "bias": round(bias, 4),
        "weights": {name: round(float(weight), 4) for name, weight in zip(SIGNS, weights, strict=True) if weight},
        "threshold": round(threshold_of(observed, chances(observed, weights, bias)), 4),
        "rows": len(observed.labels),
        "files": list(files),
    }


def merged(parts: Sequence[Observed]) -> Observed:
    """Rows of several files as one."""
    return Observed(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.decided for part in parts]),
        np.concatenate([part.folds for part in parts]),
    )


def _kept(observed: Observed, weights: Floats, bias: float, least: float) -> npt.NDArray[np.bool_]:
    p = chances(observed, weights, bias)
    return np.asarray((p >= least) & ~observed.decided, dtype=bool)


def _part(observed: Observed, rows: npt.NDArray[np.bool_]) -> Observed:
    return Observed(observed.values[rows], observed.labels[rows], observed.decided[rows], observed.folds[rows])


def _shares(observed: Observed, kept: npt.NDArray[np.bool_]) -> dict[str, float]:
    faithful = observed.labels == 1
    return {
        "faithful_kept": round(float(kept[faithful].mean()), 3),
        "false_rejected": round(float((~kept[~faithful]).mean()), 3),
    }
