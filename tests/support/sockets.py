"""Words that the tests of what is pushed share: WebSockets and streams of events, on servers that run."""

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import httpx2
import redis
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.support.waiting import eventually

WITHIN_S = 60.0


def socket_to(home: str, path: str) -> ClientConnection:
    """A WebSocket to a server that answers at `home`."""
    return connect(f"ws{home.removeprefix('http')}{path}", proxy=None, open_timeout=WITHIN_S, close_timeout=2)


def close_code(socket: ClientConnection) -> int:
    """What the server closes a socket with; whatever it says before is skipped."""
    with suppress(ConnectionClosed):
        while True:
            socket.recv(WITHIN_S)
    assert socket.close_code is not None
    return socket.close_code


class LazySocket:
    """A WebSocket that reads only what it is asked for: no thread runs ahead, and little fits in the kernel."""

    def __init__(self, home: str, path: str) -> None:
        url = httpx2.URL(home)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self._socket.settimeout(WITHIN_S)
        self._socket.connect((url.host, url.port))
        head = f"GET {path} HTTP/1.1\r\nHost: sidebyside\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        self._socket.sendall((head + key).encode())
        self._file = self._socket.makefile("rb")
        while self._file.readline() != b"\r\n":
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def recv(self) -> str | int:
        """The next message, or the code that the socket is closed with."""
        first, length = self._file.read(2)
        if length == 126:
            [length] = struct.unpack("!H", self._file.read(2))
        payload = self._file.read(length)
        return int.from_bytes(payload[:2]) if first == 0x88 else payload.decode()


@contextmanager
def listening(home: str, client: redis.Redis, channel: str, query: str = "") -> Iterator[ClientConnection]:
    """A WebSocket that is sure to be told of stock changes: it has heard one that this function made up."""
    item_id = int(query.rpartition("=")[2] or 0)
    made_up = json.dumps({"item_id": item_id, "stock": -1}, separators=(",", ":"))
    with socket_to(home, f"/ws/items{query}") as opened:

        def heard_of_one() -> str | None:
            client.publish(channel, made_up)
            return heard(opened, 0.05)

        eventually(heard_of_one, "it hears of a change")
        client.publish(channel, made_up.replace("-1", "-2"))
        while json.loads(opened.recv(WITHIN_S))["stock"] != -2:
            pass
        yield opened


def heard(listener: ClientConnection, within_s: float) -> str | None:
    """The next message, or None when none comes."""
    try:
        return str(listener.recv(within_s))
    except TimeoutError:
        return None


def change_told_to(listener: ClientConnection) -> Any:
    """The next change that a socket is told of."""
    return json.loads(listener.recv(WITHIN_S))


class Events:
    """A stream of events that is read line by line."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()
        assert [next(self._lines) for _ in range(3)] == [": subscribed", "retry: 1000", ""]

    def next(self) -> Any:
        """The next event's document."""
        line = next(self._lines)
        assert next(self._lines) == ""
        return json.loads(line.removeprefix("data: "))


@contextmanager
def events_of(home: str, query: str = "") -> Iterator[Events]:
    """The stream of stock changes, subscribed."""
    with httpx2.stream("GET", f"{home}/api/events/stock{query}", timeout=WITHIN_S) as response:
        assert response.status_code == 200
        yield Events(response)
