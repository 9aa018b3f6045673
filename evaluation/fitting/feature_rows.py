"""Rows to fit abstention on: {"judgement", "answerable", "features": {name: number}, "set"}, one JSON object a line."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rag.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """One question: whether it can be answered, and what was seen of it when `judgement` was due."""

    judgement: str
    answerable: bool
    features: dict[str, float]
    set: str


def read_rows(paths: Sequence[Path]) -> list[FeatureRow]:
    """The rows of all files; a row without a set gets its file's name.

    Raises:
        ConfigurationError: a file cannot be read, or a line is wrong (named by file and line).
    """
    rows: list[FeatureRow] = []
    known: dict[str, FeatureRow] = {}
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    row = _row(json.loads(line), path.stem)
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    raise ConfigurationError(
                        f'{path}:{number}: expected {{"judgement", "answerable", "features": {{name: number}}, "set"}} '
                        f"({error})."
                    ) from error
                if row.features.keys() != known.setdefault(row.judgement, row).features.keys():
                    raise ConfigurationError(
                        f"{path}:{number}: has other features than the first row of its judgement."
                    )
                rows.append(row)
    if not rows:
        raise ConfigurationError("There are no rows to fit on.")
    return rows


def with_features(rows: Sequence[FeatureRow], chosen: Mapping[str, Sequence[str]]) -> list[FeatureRow]:
    """The rows with the chosen features only: those named for their judgement, else those for "", else all.

    Raises:
        ConfigurationError: a row lacks a chosen feature, or no row is of a named judgement.
    """
    if strange := sorted(chosen.keys() - {row.judgement for row in rows} - {""}):
        raise ConfigurationError(f"No row is of the judgement {strange[0]!r}.")
    kept = []
    for row in rows:
        names = chosen.get(row.judgement, chosen.get("", tuple(row.features)))
        if missing := [name for name in names if name not in row.features]:
            raise ConfigurationError(
                f"Rows of the judgement {row.judgement!r} have no feature {missing[0]!r}; "
                f"they have {', '.join(row.features)}."
            )
        kept.append(replace(row, features={name: row.features[name] for name in names}))
    return kept


def _row(found: dict[str, Any], stem: str) -> FeatureRow:
    features = {str(name): float(value) for name, value in found["features"].items()}
    if not features or not all(math.isfinite(value) for value in features.values()):
        raise ValueError("features must be finite numbers, at least one")
    if not isinstance(found["answerable"], bool):
        raise ValueError("answerable must be true or false")
    judgement = str(found.get("judgement") or found["language"])
    return FeatureRow(judgement, found["answerable"], features, str(found.get("set") or stem))
