"""The supervision of the local chat model's process, with a stand-in for it, and once with the real one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from rag.adapters.chat import local_llm
from rag.adapters.chat.local_llm import LocalChatServer
from rag.adapters.weights.files import ensure
from rag.settings import PROJECT_DIR

STAND_IN = """
import json, os, sys
print("noise", file=sys.stderr)
print(json.dumps({"url": "http://127.0.0.1:%d/v1" % os.getpid()}), flush=True)
sys.stdin.read()
"""


def wait_for(condition: Callable[[], object], seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.01)


def pid_of(server: LocalChatServer) -> int:
    assert server._process is not None
    return server._process.pid


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalChatServer]:
    monkeypatch.setattr(local_llm, "FIRST_DELAY_SECONDS", 0.05)
    server = LocalChatServer(tmp_path / "model.gguf", threads=1, log_dir=tmp_path)
    server._command = [sys.executable, "-c", STAND_IN]
    yield server
    server.stop()


def test_starts_in_the_background_and_stops(server: LocalChatServer) -> None:
    assert (server.base_url, server.ready()) == (None, False)
    server.start()
    server.start()
    wait_for(server.ready)
    pid = pid_of(server)
    assert server.base_url == f"http://127.0.0.1:{pid}/v1"

    server.stop()
    server.stop()

    assert (server.base_url, server.ready()) == (None, False)
    assert not psutil.pid_exists(pid)


def test_can_start_again_after_a_stop(server: LocalChatServer) -> None:
    server.start()
    wait_for(server.ready)
    server.stop()

    server.start()

    wait_for(server.ready)


def test_a_dead_one_is_replaced(server: LocalChatServer) -> None:
    server.start()
    wait_for(server.ready)
    first = pid_of(server)

    os.kill(first, signal.SIGKILL)

    wait_for(lambda: server.base_url not in (None, f"http://127.0.0.1:{first}/v1"))
    assert server.problem is None


def test_one_that_cannot_start_says_why(server: LocalChatServer, tmp_path: Path) -> None:
    server._command = [sys.executable, "-c", "import sys; print('no memory', file=sys.stderr); sys.exit(3)"]
    server.start()
    wait_for(lambda: server.problem)

    assert "code 3" in str(server.problem)
    assert str(tmp_path / "local-llm.log") in str(server.problem)
    assert "no memory" in (tmp_path / "local-llm.log").read_text(encoding="utf-8")
    assert not server.ready()


def test_a_command_that_does_not_exist_is_a_problem_too(server: LocalChatServer) -> None:
    server._command = ["/nonexistent/python"]
    server.start()

    wait_for(lambda: server.problem)


def test_the_key_is_not_on_the_command_line(server: LocalChatServer, tmp_path: Path) -> None:
    assert len(server.api_key) > 30
    assert server.api_key not in " ".join(LocalChatServer(tmp_path / "m", threads=1)._command)
    assert server.api_key != LocalChatServer(tmp_path / "m", threads=1).api_key


def test_a_missing_model_ends_the_real_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_llm, "FIRST_DELAY_SECONDS", 60.0)
    server = LocalChatServer(tmp_path / "absent.gguf", threads=1, log_dir=tmp_path)
    server.start()
    try:
        wait_for(lambda: server.problem, 60)
        assert (tmp_path / "local-llm.log").read_text(encoding="utf-8")
    finally:
        server.stop()


@pytest.mark.model
@pytest.mark.slow
def test_the_real_one_wants_its_key_and_dies_with_its_parent(models_dir: Path, tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from rag.adapters.chat.local_llm import LocalChatServer;"
        "s = LocalChatServer(Path(sys.argv[1]), threads=2, log_dir=Path(sys.argv[2])); s.start()\n"
        "while not s.ready(): time.sleep(0.05)\n"
        "print(s.base_url, s.api_key, s._process.pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code, str(ensure("chat", models_dir)), str(tmp_path)]
    with subprocess.Popen(command, cwd=PROJECT_DIR, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        url, key, pid = parent.stdout.readline().split()
        body = {"messages": [{"role": "user", "content": "Say hi."}], "max_tokens": 1}
        with httpx.Client(trust_env=False, timeout=60) as client:
            assert client.post(f"{url}/chat/completions", json=body).status_code == 401
            headers = {"Authorization": f"Bearer {key}"}
            assert client.post(f"{url}/chat/completions", json=body, headers=headers).status_code == 200
        assert url.startswith("http://127.0.0.1:")
        assert key not in " ".join(psutil.Process(int(pid)).cmdline())

        parent.kill()

    wait_for(lambda: not psutil.pid_exists(int(pid)) or psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE)
    assert "Say hi" not in (tmp_path / "local-llm.log").read_text(encoding="utf-8")
