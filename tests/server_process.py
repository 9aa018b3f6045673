"""A real server in a process of its own, as a person starts it, for the tests that need the whole thing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

PROJECT = Path(__file__).resolve().parent.parent
START_SECONDS = 60


@dataclass
class ServerProcess:
    """A running server; `client` speaks to it, `said` holds what it has printed (all of it once it is over)."""

    process: subprocess.Popen[str]
    url: str
    client: httpx.Client
    said: list[str]

    def wait_until(self, ready: Any, seconds: float) -> dict[str, Any]:
        """Poll /readyz until `ready(body)`; the body. Fails the test after `seconds`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            body: dict[str, Any] = self.client.get("/readyz").json()
            if ready(body):
                return body
            time.sleep(0.2)
        raise AssertionError(f"not ready after {seconds} s: {body}")

    def finish(self, job_id: str, seconds: float = 120) -> dict[str, Any]:
        """Wait for a job's end; the job."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            job: dict[str, Any] = self.client.get(f"/api/v1/jobs/{job_id}").json()
            if job["status"] in ("done", "failed", "cancelled"):
                return job
            time.sleep(0.1)
        raise AssertionError(f"job not finished after {seconds} s: {job}")

    def stop(self) -> int:
        """Ask it to end, as Ctrl-C does; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=30)


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """The environment of a server on `data_dir` and a free port."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DOCENT_")}
    models = os.environ.get("DOCENT_MODELS_DIR")
    return {
        **kept,
        **({"DOCENT_MODELS_DIR": models} if models else {}),
        "DOCENT_DATA_DIR": str(data_dir),
        "DOCENT_PORT": "0",
        "DOCENT_SAMPLES": "0",
        "PYTHONUNBUFFERED": "1",
        **settings,
    }


@contextmanager
def running_server(data_dir: Path, program: Sequence[str] = ("app.py",), **settings: str) -> Iterator[ServerProcess]:
    """Start `python app.py`, wait for its address, and end it whatever happens. It leads a process group of its own."""
    process = subprocess.Popen(
        [sys.executable, *program],
        cwd=PROJECT,
        env=environment(data_dir, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        url = _address(process, said)
        # the pipe must be emptied, or a talkative server would wait for its reader
        drain = threading.Thread(target=lambda: said.extend(process.stdout or ()), daemon=True)
        drain.start()
        with httpx.Client(base_url=url, timeout=180, trust_env=False) as client:
            server = ServerProcess(process, url, client, said)
            yield server
            server.stop()
        drain.join(timeout=10)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(timeout=10)
        process.stdout.close()


def _address(process: subprocess.Popen[str], said: list[str]) -> str:
    assert process.stdout is not None
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        line = process.stdout.readline()
        said.append(line)
        if match := re.search(r"Docent is at (http://\S+?)/ ", line):
            return match.group(1)
        if not line and process.poll() is not None:
            break
    raise AssertionError(f"the server did not start: {''.join(said)}")
