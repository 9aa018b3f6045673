"""The gate: least and greatest values that figures must keep, from a JSON or TOML file.

    {"ndcg@10": {"min": 0.8}, "false_answer": {"max": 0.1}}

Pure but for reading the file. A figure that was not measured fails its gate: a gate that checks nothing is no gate.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.intervals import Figure
from evaluation.measures import FIGURES, TIMES
from rag.errors import ConfigurationError

GATED = (
    *(name for name in FIGURES if name not in TIMES),
    *(f"{name}_p{percent}" for name in TIMES for percent in (50, 95)),
)


@dataclass(frozen=True, slots=True)
class Bound:
    """What a figure must keep; None where it is free on that side."""

    figure: str
    least: float | None
    greatest: float | None


def read_gate(path: Path) -> list[Bound]:
    """The bounds of a file.

    Raises:
        ConfigurationError: it cannot be read, is neither JSON nor TOML, or names something that is no figure or bound.
    """
    try:
        text = path.read_text(encoding="utf-8")
        found = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise ConfigurationError(f"The gate {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ConfigurationError(f"The gate {path} is not {path.suffix[1:].upper() or 'JSON'}: {error}.") from error
    if not isinstance(found, dict) or not found:
        raise ConfigurationError(f'The gate {path} must be an object of figures, {{"ndcg@10": {{"min": 0.8}}}}.')
    return [_bound(path, figure, limits) for figure, limits in found.items()]


def failures(bounds: list[Bound], figures: Mapping[str, Figure]) -> list[str]:
    """One line for each figure that fails, in the order of the file."""
    lines = []
    for bound in bounds:
        figure = figures.get(bound.figure)
        if figure is None:
            lines.append(f"{bound.figure} was not measured: no question of this run has it")
        elif bound.least is not None and figure.value < bound.least:
            lines.append(f"{bound.figure} is {figure.value:.4g}, below its minimum {bound.least:g} (n={figure.n})")
        elif bound.greatest is not None and figure.value > bound.greatest:
            lines.append(f"{bound.figure} is {figure.value:.4g}, above its maximum {bound.greatest:g} (n={figure.n})")
    return lines


def _bound(path: Path, figure: str, limits: Any) -> Bound:
    if figure not in GATED:
        raise ConfigurationError(f"The gate {path} names {figure!r}, which is no figure. They are: {', '.join(GATED)}.")
    numbers = isinstance(limits, dict) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in limits.values()
    )
    if not numbers or not limits or limits.keys() - {"min", "max"}:
        raise ConfigurationError(f'The gate {path} must give {figure} a number as "min", as "max", or both.')
    return Bound(figure, limits.get("min"), limits.get("max"))
