"""The process of the local chat model: an OpenAI-compatible server in a child of Docent.

Owns the choice of engine, and the door to xllamacpp: OpenVINO serves where the weights are in its form
(rag.adapters.chat.openvino_export), which reads three times as fast; llama.cpp serves the GGUF file itself elsewhere. Started by rag.adapters.chat.local_llm only: it prints one JSON line with its address, ends when
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

from rag.adapters.chat.openvino_export import exported_dir, is_exported, is_supported

KEY_VARIABLE = "LOCAL_CHAT_SERVER_KEY"
PR_SET_PDEATHSIG = 1
PROMPT_CACHE_MIB = 256
LOG_WARNINGS = 2
NO_PINGS = -1


def main(arguments: Sequence[str] | None = None) -> None:
    """Load, listen, report, and wait for the end. `arguments` default to the process's own."""
    parser = argparse.ArgumentParser(prog="python -m rag.adapters.chat.local_llm_process")
    parser.add_argument("model", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--context", type=int, required=True)
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group; the parent decides
    _end_with_parent()
    report = _take_stdout()
    key = os.environ.pop(KEY_VARIABLE)
    if is_supported() and is_exported(options.model):
        url, engine = _serve_openvino(exported_dir(options.model), options.threads, options.context, key), "openvino"
    else:
        server = _serve_llama(options.model, options.threads, options.context, key)
        url, engine = f"{server.listening_address}/v1", "llama.cpp"
    with os.fdopen(report, "w") as stream:
        stream.write(json.dumps({"url": url, "engine": engine}) + "\n")
    threading.Event().wait()


def _serve_openvino(folder: Path, threads: int, context: int, key: str) -> str:
    from rag.adapters.chat.completions_server import CompletionsServer
    from rag.adapters.chat.openvino_llm import OpenVinoModel

    server = CompletionsServer(OpenVinoModel(folder, threads=threads, context=context), key)
    threading.Thread(target=server.serve_forever, daemon=True, name="completions").start()
    return server.url


def _serve_llama(model: Path, threads: int, context: int, key: str) -> Any:
    """The server; it ends when it is collected."""
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
    params.api_keys = [key]
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
