"""The process of the local chat model: llama.cpp's OpenAI-compatible server, in a child of Docent.

Owns the door to xllamacpp. Started by rag.adapters.local_llm only: it prints one JSON line with its address, ends when
its standard input ends, and takes its key from the environment, where the process list does not show it.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

KEY_VARIABLE = "LOCAL_CHAT_SERVER_KEY"
PR_SET_PDEATHSIG = 1
PROMPT_CACHE_MIB = 256
LOG_WARNINGS = 2
NO_PINGS = -1


def main(arguments: Sequence[str] | None = None) -> None:
    """Load, listen, report, and wait for the end. `arguments` default to the process's own."""
    parser = argparse.ArgumentParser(prog="python -m rag.adapters.local_llm_process")
    parser.add_argument("model", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--context", type=int, required=True)
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group; the parent decides
    _end_with_parent()
    report = _take_stdout()
    server = _serve(options.model, options.threads, options.context)
    with os.fdopen(report, "w") as stream:
        stream.write(json.dumps({"url": f"{server.listening_address}/v1"}) + "\n")
    threading.Event().wait()


def _serve(model: Path, threads: int, context: int) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.n_ctx = context
    # One slot and a small store of prompts: a prompt that was read before is found again even when others came
    # between (measured: first token 0.5 s instead of 2.3 s), and the whole context serves each question.
    params.n_parallel = 1
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [os.environ.pop(KEY_VARIABLE)]
    params.ui = False
    params.endpoint_slots = False  # it would show prompts
    params.verbosity = LOG_WARNINGS
    params.sse_ping_interval = NO_PINGS  # a ping would hide from the client that no token comes
    return xllamacpp.Server(params)


def _take_stdout() -> int:
    """A private descriptor of standard output; whatever the libraries print goes to standard error."""
    report = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return report


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()


if __name__ == "__main__":
    main()
