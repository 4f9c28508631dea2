"""A server under load: the users' connections to it, its own count of requests, and its meters."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from time import monotonic_ns, process_time_ns

import gevent

from loadtests.load.connection import Connection
from loadtests.load.websocket import WebSocketConnection
from loadtests.machine.garbage import Collections, ask_to_settle, is_settling, take
from loadtests.machine.meters import ProcessTree, SharedMeters, SharedReading, steal_ms
from loadtests.machine.servers import Endpoint

COUNT_TIMEOUT_S = 2.0
SHORT_TIMEOUT_S = 0.5  # for a server that has let a request time out in this round
SETTLING_S = 5.0
COUNT_REQUEST = b"GET /api/probe/requests HTTP/1.1\r\nHost: sidebyside\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Reading:
    """The meters at one moment.

    server_cpu_ns: None when its processes cannot be read. collections: None when the server can't tell; the longest is
    that since the reading before.
    """

    server_cpu_ns: int | None
    generator_cpu_ns: int
    steal_ms: float
    shared: SharedReading
    collections: Collections | None


class ServerConnections:
    """One server of the round, with a connection for each user and one for its counts."""

    def __init__(
        self,
        endpoint: Endpoint,
        users: int,
        timeout_s: float,
        meters: SharedMeters,
    ) -> None:
        self.endpoint = endpoint
        self._meters = meters
        self.tree = ProcessTree(endpoint.pid)
        self._short_s = min(timeout_s, SHORT_TIMEOUT_S)
        self._connections = [Connection(endpoint.host, endpoint.port, timeout_s) for _ in range(users)]
        self._sockets: dict[str, list[WebSocketConnection]] = {}
        self._users, self._timeout_s = users, timeout_s
        self._control = Connection(endpoint.host, endpoint.port, min(timeout_s, COUNT_TIMEOUT_S))

    @property
    def opened(self) -> int:
        """How many connections the users have opened so far."""
        return sum(connection.opened for connection in self._all())

    def request_count(self) -> int | None:
        """The requests that the server has counted, this one included; None if it does not count."""
        self._control.ensure_open()
        answer = self._control.request(COUNT_REQUEST, keep_body=True)
        try:
            return int(json.loads(answer.body or b"")["requests"])
        except (ValueError, TypeError, KeyError):
            return None

    def send(self, wire: bytes) -> None:
        """Send one request outside of any load."""
        self._control.ensure_open()
        self._control.request(wire)

    def connections(self, users: int, socket_path: str | None = None) -> Sequence[Connection]:
        """The connections of the first `users` users: HTTP, or WebSockets to a path."""
        if socket_path is None:
            return self._connections[:users]
        if socket_path not in self._sockets:
            host, port = self.endpoint.host, self.endpoint.port
            self._sockets[socket_path] = [
                WebSocketConnection(host, port, socket_path, self._timeout_s) for _ in range(self._users)
            ]
        return self._sockets[socket_path][:users]

    def close_sockets(self) -> None:
        """Close the WebSockets until they are used again: those of idle users hold threads in some servers."""
        for sockets in self._sockets.values():
            for socket in sockets:
                socket.suspend()

    def shorten_timeout(self) -> None:
        """Wait less from now on: this server has let a request time out."""
        self._timeout_s = self._short_s
        for connection in (self._control, *self._all()):
            connection.set_timeout(self._short_s)

    @contextmanager
    def settling(self, share: float) -> Iterator[None]:
        """Load that brings the garbage collector into its long-run state: `share` of the way to a full collection."""
        file = self.endpoint.count_file
        ask_to_settle(file, share)
        yield
        ask_to_settle(file, 0)
        give_up_ns = monotonic_ns() + round(SETTLING_S * 1e9)
        while is_settling(file) and monotonic_ns() < give_up_ns:
            gevent.sleep(0.002)

    def read_meters(self) -> Reading:
        """All meters now; the server must be idle."""
        collections = take(self.endpoint.count_file)
        return Reading(self.tree.cpu_ns(), process_time_ns(), steal_ms(), self._meters.read(), collections)

    def _all(self) -> list[Connection]:
        return [*self._connections, *chain.from_iterable(self._sockets.values())]
