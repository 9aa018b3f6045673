"""A server process over a data folder: searched by HTTP, and weighed.

Owns the process: it is started on a free port without chat model, and stopped with the context. Memory is the resident
set of the process and all its children, added up, so pages that they share count twice.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import ConfigurationError
from rag.settings import PROJECT_DIR, environment_without_settings
from vectorstore.owner import read_owner

START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running server."""

    pid: int
    client: Any

    def search(self, name: str, query: str, *, limit: int) -> list[str]:
        """The ids of the `limit` best chunks, over HTTP on a kept connection."""
        body = {"query": query, "collections": [name], "top_k": limit}
        answer = self.client.post("/api/v1/search", json=body)
        answer.raise_for_status()
        return [passage["chunk_id"] for passage in answer.json()["passages"]]

    def resident_mib(self) -> float:
        """Resident memory of the process and its children in MiB."""
        table = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,rss="], check=True, capture_output=True, text=True)  # noqa: S607
        rows = [tuple(map(int, line.split())) for line in table.stdout.splitlines()]
        family = {self.pid}
        while grown := {pid for pid, parent, _ in rows if parent in family} - family:
            family |= grown
        return sum(rss for pid, _, rss in rows if pid in family) / 1024


@contextmanager
def server_process(data_dir: Path, models_dir: Path) -> Iterator[ServerProcess]:
    """A server on `data_dir` whose models are loaded.

    Raises:
        ConfigurationError: it did not start.
    """
    import httpx

    environment = environment_without_settings() | {
        "DOCENT_DATA_DIR": str(data_dir),
        "DOCENT_MODELS_DIR": str(models_dir),
        "DOCENT_PORT": "0",
        "DOCENT_LLM": "extractive",
        "DOCENT_SAMPLES": "0",
        "DOCENT_LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, str(PROJECT_DIR / "app.py")]
    process = subprocess.Popen(command, env=environment, cwd=data_dir, stdout=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=_url(process, data_dir), trust_env=False, timeout=60) as client:
            while client.get("/readyz").status_code != 200:
                time.sleep(0.1)
            yield ServerProcess(process.pid, client)
    finally:
        process.terminate()
        process.wait(30)


def _url(process: subprocess.Popen[bytes], data_dir: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        url = read_owner(data_dir).get("url")
        if url:
            return str(url)
        time.sleep(0.1)
    raise ConfigurationError("The server did not start; its own message stands above.")
