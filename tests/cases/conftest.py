"""The fixtures of the readers' tests, for the cases that people brought."""

from __future__ import annotations

from tests.catalog.conftest import catalog
from tests.ingest.conftest import write

__all__ = ["catalog", "write"]
