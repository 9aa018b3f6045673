"""Clients that send or take nothing: there is always a thread for a sign of life, on the real server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.server_process import ServerProcess, running_server
from tests.web.conftest import API, eventually
from web.patience import PatientSocket, Readers

TOKEN = "t" * 24
KEY = {"Authorization": f"Bearer {TOKEN}"}
MANY = 60
PROGRAM = ("-m", "tests.stoppable")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running_server(tmp_path_factory.mktemp("slow"), PROGRAM, DOCENT_API_TOKEN=TOKEN) as running:
        yield running


def address(server: ServerProcess) -> tuple[str, int]:
    url = httpx.URL(server.url)
    assert url.port
    return url.host, url.port


def answers_at_once(server: ServerProcess) -> None:
    started = time.monotonic()
    for _ in range(3):
        assert httpx.get(f"{server.url}/healthz", timeout=5, trust_env=False).status_code == 200
    assert time.monotonic() - started < 4


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: 60000000\r\n\r\ntoken=",
        b"POST /api/v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        b"Content-Length: 60000000\r\n\r\n--b\r\n",
    ],
)
def test_unfinished_requests_hold_nobody_up(server: ServerProcess, sent: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(MANY):
            connection = stack.enter_context(socket.create_connection(address(server), timeout=5))
            connection.sendall(sent)
        time.sleep(0.3)
        answers_at_once(server)
        assert httpx.get(f"{server.url}{API}/status", headers=KEY, timeout=5, trust_env=False).status_code == 200
    answers_at_once(server)


def test_many_open_streams_leave_room(server: ServerProcess) -> None:
    parts = [("file", (f"{n}.txt", f"slowly {n} " * 400)) for n in range(300)]
    sent = httpx.post(f"{server.url}{API}/documents", files=parts, headers=KEY, timeout=60, trust_env=False)
    events = sent.headers["Location"] + "/events"
    head = f"GET {events} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    with ExitStack() as stack:
        said = []
        for _ in range(MANY):
            connection = stack.enter_context(socket.create_connection(address(server), timeout=10))
            connection.sendall(head)
            said.append(connection)
        statuses = [connection.recv(12)[-3:] for connection in said]
        answers_at_once(server)
        assert httpx.get(f"{server.url}{API}/status", headers=KEY, timeout=5, trust_env=False).status_code == 200
    assert statuses.count(b"200") >= 20
    assert statuses.count(b"503") == MANY - statuses.count(b"200")
    httpx.post(f"{server.url}{sent.headers['Location']}/cancel", headers=KEY, timeout=10, trust_env=False)
    eventually(lambda: httpx.get(server.url + events, headers=KEY, timeout=15, trust_env=False).status_code == 200)


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[PatientSocket, socket.socket]]:
    monkeypatch.setattr("web.patience.IDLE_SECONDS", 0.3)
    monkeypatch.setattr("web.patience.HEADER_SECONDS", 0.5)
    ours, theirs = socket.socketpair()
    with theirs, PatientSocket.around(ours) as patient:
        patient.setblocking(True)
        yield patient, theirs


def test_a_body_may_take_its_time_but_must_come(pair: tuple[PatientSocket, socket.socket]) -> None:
    patient, theirs = pair
    patient.begin_body()
    theirs.sendall(b"x" * 4000)
    assert len(patient.recv(8192)) == 4000
    started = time.monotonic()
    assert patient.recv(8192) == b""
    assert time.monotonic() - started < 1


def test_a_trickle_is_no_body(pair: tuple[PatientSocket, socket.socket]) -> None:
    patient, theirs = pair
    patient.begin_body()
    received = 0
    started = time.monotonic()
    while time.monotonic() - started < 3:
        theirs.sendall(b"x")
        if not (data := patient.recv(10)):
            break
        received += len(data)
        time.sleep(0.05)
    assert time.monotonic() - started < 2
    assert received > 3


def test_first_lines_have_a_deadline_as_a_whole(pair: tuple[PatientSocket, socket.socket]) -> None:
    patient, theirs = pair
    patient.begin_header()
    started = time.monotonic()
    while patient.recv(10):
        time.sleep(0.1)
        theirs.sendall(b"x")
        if time.monotonic() - started > 3:
            break
    assert time.monotonic() - started < 2


def test_an_answer_that_nobody_takes_ends(pair: tuple[PatientSocket, socket.socket]) -> None:
    patient, _ = pair
    started = time.monotonic()
    with pytest.raises(BrokenPipeError):
        patient.sendall(b"x" * (8 << 20))
    assert time.monotonic() - started < 2


def test_an_answer_that_is_taken_slowly_arrives(pair: tuple[PatientSocket, socket.socket]) -> None:
    patient, theirs = pair
    total = 4 << 20
    taken = 0

    def take() -> None:
        nonlocal taken
        while taken < total:
            taken += len(theirs.recv(1 << 17))
            time.sleep(0.03)

    reader = threading.Thread(target=take)
    reader.start()
    patient.sendall(b"x" * total)
    reader.join(10)
    assert taken == total


def test_the_oldest_of_too_many_goes() -> None:
    readers = Readers(most=2)
    pairs = [socket.socketpair() for _ in range(3)]
    ours = [PatientSocket.around(one) for one, _ in pairs]
    for one in ours:
        one.setblocking(True)
        readers.begin(one)
    assert ours[0].recv(1) == b""
    pairs[2][1].sendall(b"x")
    assert ours[2].recv(1) == b"x"
    for one, (_, other) in zip(ours, pairs, strict=True):
        readers.end(one)
        one.close()
        other.close()
