"""The local chat model's process: started, watched, restarted, stopped.

Owns the child and its address, and that the weights are in the form that is read fastest. Talks to nobody over HTTP;
rag.adapters.chat.langchain_chat does, with `base_url` and `api_key`. Does not fetch weights.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from rag.adapters.chat import openvino_export
from rag.adapters.chat.local_llm_process import KEY_VARIABLE
from rag.errors import ConfigurationError
from rag.settings import PROJECT_DIR

LOG = logging.getLogger(__name__)
LOG_NAME = "local-llm.log"
LOG_BYTES = 1 << 20
FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 60.0
STOP_SECONDS = 5.0
_SECRET = re.compile("TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|CREDENTIAL", re.IGNORECASE)


def prepare(model_path: Path, report: Callable[[str], object]) -> None:
    """Bring the weights into OpenVINO's form, once, where it can be used; without it llama.cpp serves them as they are."""
    if not openvino_export.is_supported():
        LOG.info("The local chat model is served by llama.cpp: OpenVINO does not serve this machine.")
        return
    if openvino_export.is_exported(model_path):
        return
    report(f"preparing the weights for this processor, once: half a minute, {openvino_export.SIZE_GB} GB of disk")
    try:
        openvino_export.export(model_path)
    except ConfigurationError as error:
        LOG.warning("%s llama.cpp serves the local chat model instead, and reads more slowly.", error.message)


class LocalChatServer:
    """An OpenAI-compatible server for a GGUF file, on a free port of 127.0.0.1, that only this object's key opens.

    `context` is in tokens, prompt and answer together. `log_dir` gets the file local-llm.log; without it the server's
    warnings are dropped. A server that ends by itself is started again after 1, 2, 4 ... 60 s. Thread-safe.
    """

    def __init__(self, model_path: Path, *, threads: int, context: int = 4096, log_dir: Path | None = None) -> None:
        self._command = [sys.executable, "-m", "rag.adapters.chat.local_llm_process", str(model_path.absolute())]
        self._command += ["--threads", str(threads), "--context", str(context)]
        self._log_dir = log_dir
        self._api_key = secrets.token_urlsafe(32)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._base_url: str | None = None
        self._engine: str | None = None
        self._problem: str | None = None

    @property
    def api_key(self) -> str:
        """The random key that requests must carry."""
        return self._api_key

    @property
    def base_url(self) -> str | None:
        """Such as http://127.0.0.1:40123/v1, or None while it loads or is down."""
        return self._base_url

    @property
    def engine(self) -> str | None:
        """What serves, or served last: `openvino` or `llama.cpp`; None before the first start."""
        return self._engine

    @property
    def problem(self) -> str | None:
        """Why it is not ready, once it has ended by itself; None while all is well."""
        return self._problem

    def ready(self) -> bool:
        """Whether the model is loaded and its process runs."""
        process = self._process
        return self._base_url is not None and process is not None and process.poll() is None

    def start(self) -> None:
        """Start it in the background; returns at once. Idempotent."""
        with self._lock:
            if self._watcher is None:
                self._stopping.clear()
                # Also the parent of the child in the kernel's eyes: the child ends when this thread does.
                self._watcher = threading.Thread(target=self._watch, daemon=True, name="local-llm")
                self._watcher.start()

    def stop(self) -> None:
        """End the process and wait for its end, at most some seconds. Idempotent; `start` may follow."""
        with self._lock:
            watcher, process = self._watcher, self._process
            self._stopping.set()
            if process is not None:
                _end(process)
        if watcher is not None:
            watcher.join()
        with self._lock:
            self._watcher = None

    def _watch(self) -> None:
        delay = FIRST_DELAY_SECONDS
        while True:
            started = time.monotonic()
            try:
                code = self._run_once()
            except OSError as error:
                LOG.warning("The local chat model could not be started: %s", error.strerror)
                code = error.errno
            if self._stopping.is_set():
                return
            if time.monotonic() - started > LONGEST_DELAY_SECONDS:
                delay = FIRST_DELAY_SECONDS
            self._problem = f"The local chat model ended with code {code}"
            self._problem += f"; see {self._log_dir / LOG_NAME}." if self._log_dir else "."
            LOG.warning("%s Starting it again in %.0f s.", self._problem, delay)
            if self._stopping.wait(delay):
                return
            delay = min(2 * delay, LONGEST_DELAY_SECONDS)

    def _run_once(self) -> int | None:
        """Start the process and stay until it ends. Returns its exit code, or None when it was not to be started."""
        with self._lock:
            if self._stopping.is_set():
                return None
            process = self._process = self._spawn()
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            if line := process.stdout.readline():
                told = json.loads(line)
                self._engine = told.get("engine")
                self._base_url = str(told["url"])
                self._problem = None
            return process.wait()
        finally:
            self._base_url = None
            process.stdout.close()
            process.stdin.close()
            self._process = None

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self._open_log() as log:
            return subprocess.Popen(  # noqa: S603  our own module
                self._command,
                cwd=PROJECT_DIR,
                env={**_harmless(os.environ), KEY_VARIABLE: self._api_key},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def _open_log(self) -> IO[bytes]:
        if self._log_dir is None:
            return Path(os.devnull).open("wb")
        self._log_dir.mkdir(parents=True, exist_ok=True)
        path = self._log_dir / LOG_NAME
        is_long = path.exists() and path.stat().st_size > LOG_BYTES
        return path.open("wb" if is_long else "ab")


def _harmless(environment: Mapping[str, str]) -> dict[str, str]:
    """What a child may know of our environment: no settings, which hold tokens, and nothing that is called a secret."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("DOCENT_") and not _SECRET.search(name)
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
