"""`python -m tests.ingest.pipeline.killable DATA_DIR FILES_DIR`: ingest a folder slowly enough to be killed anywhere, then say so.

The embedder is the fake one, slowed down; everything else is real. Run again without files it finishes what was cut off.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rag.settings import Settings
from rag.vectors import Vectors
from tests.fakes import HashEmbedder
from wiring import Services, add_folder, build_services


class SlowEmbedder(HashEmbedder):
    """Takes 2 ms a text."""

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        time.sleep(0.002 * len(texts))
        return super().embed_documents(texts)


def build(data_dir: Path) -> Services:
    services = build_services(
        Settings(data_dir=data_dir, llm="extractive", samples=False), embedder=SlowEmbedder(), with_chat=False
    )
    services.startup.begin()
    services.startup.require(patience=60)
    return services


def main(data_dir: str, files: str | None = None) -> None:
    services = build(Path(data_dir))
    print("started", flush=True)
    if files:
        add_folder(services, Path(files), "default")
    print("registered", flush=True)
    deadline = time.monotonic() + 900
    while services.pipeline.pending() and time.monotonic() < deadline:
        time.sleep(0.05)
    services.close()
    print("finished", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
