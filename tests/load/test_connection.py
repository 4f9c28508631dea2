"""The wire client runs under gevent in a process of its own; the servers here are scripted, byte for byte."""

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import pytest

from loadtests.samples.store import Failure

CLIENT = """
import json, sys
from loadtests.load.connection import Connection
connections = {}
for line in sys.stdin:
    order = json.loads(line)
    make = lambda: Connection("127.0.0.1", order["port"], order["timeout_s"])
    connection = connections.setdefault(order["key"], make())
    if order["ask"] is None:
        said = {"open": connection.ensure_open()}
    else:
        answer = connection.request(order["ask"].encode(), order["keep_body"])
        body = None if answer.body is None else answer.body.decode()
        said = answer._asdict() | {"body": body}
    print(json.dumps(said | {"opened": connection.opened}), flush=True)
"""
GET = "GET / HTTP/1.1\r\nHost: sidebyside\r\n\r\n"
PONG = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong"
GOODBYE = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\npong"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\npon\r\n1\r\ng\r\n0\r\n\r\n"

Chunks = Sequence[bytes]


class Client:
    """One connection of the client's process; orders and answers are JSON lines."""

    def __init__(self, process: subprocess.Popen[str], key: int, port: int, timeout_s: float) -> None:
        self._process = process
        self._order = {"key": key, "port": port, "timeout_s": timeout_s}

    def ask(self, request: str = GET, *, keep_body: bool = True) -> dict[str, Any]:
        return self._tell(ask=request, keep_body=keep_body)

    def ensure_open(self) -> dict[str, Any]:
        return self._tell(ask=None)

    def _tell(self, **order: object) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(self._order | order) + "\n")
        self._process.stdin.flush()
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        return said


class Clients:
    """The client's process, with a fresh connection on demand."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._keys = count()

    def of(self, port: int, timeout_s: float = 5.0) -> Client:
        return Client(self._process, next(self._keys), port, timeout_s)


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    argv = [sys.executable, "-c", CLIENT]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Clients(process)
        process.communicate(timeout=60)
        assert process.returncode == 0


class Playing:
    """A server that plays one script a connection: what it sends for each request; then it closes."""

    def __init__(self, *scripts: Sequence[Chunks]) -> None:
        self.received: list[bytes] = []
        self.ended = [threading.Event() for _ in scripts]
        self._scripts = scripts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._play)

    def __enter__(self) -> "Playing":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()
        assert not self._thread.is_alive()

    def _play(self) -> None:
        for script, ended in zip(self._scripts, self.ended, strict=True):
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                for chunks in script:
                    self.received.append(read_request(connection))
                    for chunk in chunks:
                        connection.sendall(chunk)
            ended.set()


def read_request(connection: socket.socket) -> bytes:
    """A whole request, or what came before the client closed."""
    data = b""
    while not is_whole(data) and (piece := connection.recv(65536)):
        data += piece
    return data


def is_whole(data: bytes) -> bool:
    head, end, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


def one_by_one(data: bytes) -> list[bytes]:
    return [data[place : place + 1] for place in range(len(data))]


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_an_answer_tells_status_sizes_and_body(clients: Clients) -> None:
    with Playing([[PONG]]) as server:
        answer = clients.of(server.port).ask()

    assert (answer["failure"], answer["status"], answer["body"]) == (Failure.NONE, 200, "pong")
    assert (answer["total_bytes"], answer["body_bytes"], answer["keep_alive"]) == (len(PONG), 4, True)
    assert server.received == [GET.encode()]


def test_the_body_is_kept_only_if_asked(clients: Clients) -> None:
    with Playing([[PONG]]) as server:
        answer = clients.of(server.port).ask(keep_body=False)

    assert (answer["body"], answer["body_bytes"]) == (None, 4)


def test_one_connection_carries_many_requests(clients: Clients) -> None:
    with Playing([[PONG], [PONG], [PONG]]) as server:
        client = clients.of(server.port)
        answers = [client.ask() for _ in range(3)]

    assert [answer["opened"] for answer in answers] == [1, 1, 1]
    assert len(server.received) == 3


def test_a_connection_that_is_told_to_close_is_opened_again(clients: Clients) -> None:
    with Playing([[GOODBYE]], [[PONG]]) as server:
        client = clients.of(server.port)
        first, second = client.ask(), client.ask()

    assert (first["failure"], first["keep_alive"], first["opened"]) == (Failure.NONE, False, 1)
    assert (second["status"], second["opened"]) == (200, 2)


@pytest.mark.parametrize("message", [PONG, CHUNKED], ids=["with length", "chunked"])
def test_an_answer_may_come_byte_by_byte(clients: Clients, message: bytes) -> None:
    with Playing([one_by_one(message)]) as server:
        answer = clients.of(server.port).ask()

    assert (answer["failure"], answer["body"], answer["total_bytes"]) == (Failure.NONE, "pong", len(message))


def test_a_large_answer_takes_several_reads(clients: Clients) -> None:
    body = b"x" * 500_000
    with Playing([[b"HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n", body]]) as server:
        answer = clients.of(server.port).ask(keep_body=False)

    assert (answer["failure"], answer["body_bytes"]) == (Failure.NONE, 500_000)


def test_a_large_request_is_sent_whole(clients: Clients) -> None:
    request = "POST / HTTP/1.1\r\nContent-Length: 8000000\r\n\r\n" + "x" * 8_000_000
    with Playing([[PONG]]) as server:
        answer = clients.of(server.port).ask(request)

    assert answer["status"] == 200
    assert server.received == [request.encode()]


def test_no_content_has_no_body_and_keeps_the_connection(clients: Clients) -> None:
    with Playing([[b"HTTP/1.1 204 No Content\r\n\r\n"], [PONG]]) as server:
        client = clients.of(server.port)
        nothing, pong = client.ask(), client.ask()

    assert (nothing["failure"], nothing["status"], nothing["body_bytes"]) == (Failure.NONE, 204, 0)
    assert (pong["status"], pong["opened"]) == (200, 1)


def test_an_interim_answer_is_not_the_answer(clients: Clients) -> None:
    with Playing([[b"HTTP/1.1 100 Continue\r\n\r\n", PONG]]) as server:
        answer = clients.of(server.port).ask()

    assert (answer["failure"], answer["status"]) == (Failure.NONE, 200)


def test_any_status_is_an_answer(clients: Clients) -> None:
    with Playing([[b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"]]) as server:
        answer = clients.of(server.port).ask()

    assert (answer["failure"], answer["status"]) == (Failure.NONE, 500)


def test_nobody_listening_fails_to_connect(clients: Clients) -> None:
    client = clients.of(unused_port())

    assert client.ask()["failure"] == Failure.CONNECT
    assert client.ensure_open() == {"open": False, "opened": 0}


@pytest.mark.parametrize(
    "chunks",
    [[], [PONG[:10]], [PONG[:-1]], [CHUNKED[:-5]]],
    ids=["at once", "in the head", "in the body", "between chunks"],
)
def test_an_early_end_is_told_and_never_retried(clients: Clients, chunks: Chunks) -> None:
    with Playing([chunks], [[PONG]]) as server:
        answer = clients.of(server.port).ask()

    assert (answer["failure"], answer["status"]) == (Failure.RESET, 0)
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "message", [b"ICY 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: four\r\n\r\n", PONG + PONG]
)
def test_garbage_is_malformed(clients: Clients, message: bytes) -> None:
    with Playing([[message]]) as server:
        answer = clients.of(server.port).ask()

    assert answer["failure"] == Failure.MALFORMED


def test_silence_times_out_and_the_next_request_opens_again(clients: Clients) -> None:
    with Playing([[], []], [[PONG]]) as server:
        client = clients.of(server.port, timeout_s=0.2)
        silent, answered = client.ask(), client.ask()

    assert (silent["failure"], silent["keep_alive"]) == (Failure.TIMEOUT, False)
    assert (answered["status"], answered["opened"]) == (200, 2)


def test_every_request_has_the_whole_timeout_for_itself(clients: Clients) -> None:
    with Playing([[PONG]], [[], []], [[], []]) as server:
        client = clients.of(server.port, timeout_s=0.2)
        client.ask()
        began = time.monotonic()
        failures = [client.ask()["failure"] for _ in range(3)]

    assert failures == [Failure.RESET, Failure.TIMEOUT, Failure.TIMEOUT]
    assert time.monotonic() - began >= 0.4


def test_a_connection_closed_while_idle_is_noticed_and_reopened(clients: Clients) -> None:
    with Playing([[PONG]], [[PONG]]) as server:
        client = clients.of(server.port)
        client.ask()
        assert server.ended[0].wait(5)
        ready, answer = client.ensure_open(), client.ask()

    assert ready == {"open": True, "opened": 2}
    assert (answer["failure"], answer["opened"]) == (Failure.NONE, 2)


def test_an_open_connection_is_left_alone(clients: Clients) -> None:
    with Playing([[PONG], [PONG]]) as server:
        client = clients.of(server.port)
        client.ask()
        ready = client.ensure_open()
        client.ask()

    assert ready == {"open": True, "opened": 1}
