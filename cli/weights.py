"""`docent weights`: what the sets of weights are, where they lie, and whether they are right. No model is loaded."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rag.adapters.weights.files import ensure, is_present, verify
from rag.adapters.weights.manifest import load_manifest
from rag.adapters.weights.progress import MEBI
from rag.errors import ConfigurationError
from rag.settings import Settings


def known() -> list[str]:
    """The names of all sets."""
    return list(load_manifest().sets)


def show(names: Sequence[str], models_dir: Path | None) -> int:
    """List sets; all of them when none is named."""
    folder = _folder(models_dir)
    for name in _chosen(names, default=known()):
        weights = load_manifest().find(name)
        state = "present" if is_present(name, folder) else "missing"
        print(f"{name:<16} {weights.size / MEBI:>7,.0f} MiB  {state}  {weights.licence}  {weights.about}")
        print(f"                 {weights.location(folder)}")
    return 0


def fetch(names: Sequence[str], models_dir: Path | None) -> int:
    """Make sets present and verified; 1 when one could not be had."""
    folder, failed = _folder(models_dir), 0
    for name in _chosen(names, default=_needed()):
        try:
            print(f"{name}: {ensure(name, folder)}")
        except ConfigurationError as error:
            failed = 1
            print(error.message, file=sys.stderr)
    return failed


def check(names: Sequence[str], models_dir: Path | None) -> int:
    """Verify sets; 1 when a file is missing or damaged."""
    folder, failed = _folder(models_dir), 0
    for name in _chosen(names, default=_needed()):
        problems = verify(name, folder)
        failed |= bool(problems)
        print(f"{name}: {'; '.join(problems) or 'verified'}", file=sys.stderr if problems else sys.stdout)
    return failed


def _needed() -> list[str]:
    """What the default settings need."""
    return [name for name, entry in load_manifest().sets.items() if not entry.optional]


def _chosen(names: Sequence[str], *, default: Sequence[str]) -> Sequence[str]:
    if unknown := [name for name in names if name not in known()]:
        raise ConfigurationError(f"No weights called {', '.join(unknown)}; there are: {', '.join(known())}.")
    return names or default


def _folder(models_dir: Path | None) -> Path:
    return (models_dir or Settings.load().models_dir).absolute()
