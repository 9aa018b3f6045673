"""The pool against crashes, timeouts, floods and ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.readers.registry import read_file
from ingest.readers.sandbox import pool as pool_module
from ingest.readers.sandbox.pool import ReaderPool
from rag.errors import EncryptedError, TooLargeError, UnavailableError, UnreadableError, UnsupportedTypeError
from tests.ingest.conftest import Write, make_bomb, make_docx, make_pdf, paragraph


@pytest.fixture
def pool() -> Iterator[ReaderPool]:
    pool = ReaderPool(timeout_s=60, memory_mb=512)
    yield pool
    pool.close()


def child_pid(pool: ReaderPool) -> int:
    (child,) = pool._children
    return child.pid


def test_reads_as_in_process(pool: ReaderPool, write: Write) -> None:
    path = write(
        "报告.pdf", make_pdf([[("Title", 24, True, 700), ("Body text, long enough to rule.", 11, False, 650)], []])
    )
    assert pool.read(path, path.name) == read_file(path, path.name)
    path = write("a.docx", make_docx(paragraph("Grüße 😀")))
    assert pool.read(path, path.name).text == "Grüße 😀"


def test_one_child_reads_many_files_fast(pool: ReaderPool, write: Write) -> None:
    path = write("a.txt", b"word " * 200)
    pool.read(path, "a.txt")
    pid = child_pid(pool)
    started = time.perf_counter()
    for _ in range(50):
        pool.read(path, "a.txt")
    assert child_pid(pool) == pid
    assert (time.perf_counter() - started) / 50 < 0.02  # half a millisecond on an idle machine


def test_child_is_replaced_after_its_share(pool: ReaderPool, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "FILES_PER_CHILD", 2)
    path = write("a.txt", b"text")
    pids = set()
    for _ in range(4):
        pool.read(path, "a.txt")
        pids.update(child.pid for child in pool._children)
    assert len(pids) == 2


def test_errors_come_through(pool: ReaderPool, write: Write) -> None:
    with pytest.raises(UnreadableError) as empty:
        pool.read(write("a.txt", b""), "a.txt")
    assert empty.value.code == "empty"
    with pytest.raises(UnsupportedTypeError) as unsupported:
        pool.read(write("a.bin", b"\0\1\2\3"), "a.bin")
    assert ".pdf" in unsupported.value.details["accepted"]
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(EncryptedError, match="password"):
        pool.read(write("a.docx", ole), "a.docx")


def read_while(pool: ReaderPool, path: Path, action: signal.Signals) -> UnreadableError:
    """Stop the idle child, give it a file, and send it `action` in the middle of that."""
    pool.read(path, path.name)
    pid = child_pid(pool)
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (pid, action)).start()
    with pytest.raises(UnreadableError) as caught:
        pool.read(path, path.name)
    return caught.value


def test_crash_costs_one_file(pool: ReaderPool, write: Write) -> None:
    path = write("a.txt", b"text")
    assert read_while(pool, path, signal.SIGKILL).code == "reader_crashed"
    assert pool.read(path, "a.txt").text == "text"


def test_child_that_died_idle_is_replaced(pool: ReaderPool, write: Write) -> None:
    path = write("a.txt", b"text")
    pool.read(path, "a.txt")
    os.kill(child_pid(pool), signal.SIGKILL)
    time.sleep(0.1)
    assert pool.read(path, "a.txt").text == "text"


def test_timeout(write: Write) -> None:
    path = write("a.txt", b"text")
    pool = ReaderPool(timeout_s=1.5, memory_mb=512)
    try:
        assert read_while(pool, path, signal.SIGSTOP).code == "reader_timeout"
        assert pool.read(path, "a.txt").text == "text"
    finally:
        pool.close()


def test_memory_limit(tmp_path: Path, write: Write) -> None:
    path = tmp_path / "big.txt"
    path.write_bytes("é".encode() * (80 << 20))
    pool = ReaderPool(timeout_s=60, memory_mb=256)
    try:
        with pytest.raises(UnreadableError) as caught:
            pool.read(path, "big.txt")
        assert caught.value.code == "reader_memory"
        assert pool.read(write("a.txt", b"text"), "a.txt").text == "text"
    finally:
        pool.close()


def test_archive_of_a_gigabyte_of_zeros(pool: ReaderPool, tmp_path: Path) -> None:
    path = tmp_path / "bomb.docx"
    make_bomb(path, megabytes=1024)
    with pytest.raises(UnreadableError) as caught:
        pool.read(path, path.name)
    assert caught.value.code == "archive_bomb"


def test_archive_that_lies_about_its_size(pool: ReaderPool, write: Write) -> None:
    data = bytearray(make_docx(paragraph("x" * 100_000)))
    entry = data.rindex(b"PK\x01\x02", 0, data.rindex(b"word/document.xml"))
    data[entry + 24 : entry + 28] = (10).to_bytes(4, "little")
    with pytest.raises(UnreadableError):
        pool.read(write("a.docx", bytes(data)), "a.docx")


def test_many_threads_share_two_children(write: Write) -> None:
    pool = ReaderPool(workers=2, timeout_s=60, memory_mb=512)
    paths = [write(f"{i}.txt", f"text {i}".encode()) for i in range(40)]
    found: dict[int, str] = {}

    def work(indexes: range) -> None:
        for i in indexes:
            found[i] = pool.read(paths[i], f"{i}.txt").text

    threads = [threading.Thread(target=work, args=(range(k, 40, 8),)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pool._children) <= 2
    pool.close()
    assert found == {i: f"text {i}" for i in range(40)}


def test_close(write: Write) -> None:
    pool = ReaderPool(timeout_s=60, memory_mb=512)
    path = write("a.txt", b"text")
    pool.read(path, "a.txt")
    pid = child_pid(pool)
    pool.close()
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(UnavailableError):
        pool.read(path, "a.txt")


def test_child_dies_with_its_parent(write: Write) -> None:
    path = write("a.txt", b"text")
    program = (
        "import os, sys, pathlib\n"
        "from ingest.readers.sandbox.pool import ReaderPool\n"
        "pool = ReaderPool(timeout_s=60, memory_mb=512)\n"
        f"pool.read(pathlib.Path({str(path)!r}), 'a.txt')\n"
        "print(next(iter(pool._children)).pid, flush=True)\n"
        "os._exit(0)\n"
    )
    root = Path(pool_module.__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=60, check=True
    )
    for _ in range(50):
        if not Path(f"/proc/{done.stdout.strip()}/cmdline").exists():
            return
        time.sleep(0.1)
    pytest.fail("the child outlived its parent")


def test_child_sees_no_secrets(pool: ReaderPool, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCENT_LLM_API_KEY", "sk-very-secret")
    pool.read(write("a.txt", b"text"), "a.txt")
    environment = Path(f"/proc/{child_pid(pool)}/environ")
    if not environment.exists():
        pytest.skip("no /proc here")
    assert b"sk-very-secret" not in environment.read_bytes()


def test_a_text_out_of_proportion_is_refused(pool: ReaderPool, write: Write) -> None:
    repeated = "".join(paragraph("x" * 990) for _ in range(1200))
    path = write("bomb.docx", make_docx(repeated))
    assert path.stat().st_size < 12_000
    with pytest.raises(TooLargeError, match="for each of its bytes"):
        pool.read(path, "bomb.docx")
    path = write("long.txt", b"word " * 300_000)  # what is as long as its file is no bomb
    assert len(pool.read(path, "long.txt").text) > 1_000_000
