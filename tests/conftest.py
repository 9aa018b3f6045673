"""Fixtures that all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.settings import Settings


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The folder of weights that the settings name; only tests marked `model` may use it."""
    return Settings.load().models_dir
