"""One cheap HTTP/1.1 connection: prepared bytes out, answers parsed by llhttp.

Under gevent: while an answer is awaited, other greenlets run. A request is never repeated.
"""

import errno
from _socket import AF_INET, IPPROTO_TCP, MSG_PEEK, SO_ERROR, SOCK_STREAM, SOL_SOCKET, TCP_NODELAY
from _socket import socket as KernelSocket  # noqa: N812 - not gevent's: this module does its own waiting
from typing import Any, NamedTuple

from gevent import get_hub, getcurrent
from httptools import HttpParserError, HttpResponseParser

from loadtests.samples.store import Failure

READ, WRITE = 1, 2  # libev's events
CHUNK_BYTES = 32768


class Answer(NamedTuple):
    """What came back for one request.

    status: 0 without a whole answer. total_bytes: all that was received, head and framing included.
    keep_alive: whether the connection may be used again. body: None unless it was asked for.
    """

    failure: Failure
    status: int
    total_bytes: int
    body_bytes: int
    keep_alive: bool
    body: bytes | None


class WireError(Exception):
    """A request that got no whole answer, and why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.name)
        self.failure = failure


class DeadlineError(WireError):
    """The server took longer than the connection's timeout."""

    def __init__(self) -> None:
        super().__init__(Failure.TIMEOUT)


class Connection:
    """A connection to one server, opened when first needed and again after it was closed.

    It carries one request at a time, each with a deadline of `timeout_s`. An answer that ends only when the server
    closes the connection is a failure: it looks the same as one that was cut short.
    """

    def __init__(self, host: str, port: int, timeout_s: float = 10.0) -> None:
        self.opened = 0
        self._address = (host, port)
        self._hub = get_hub()
        self._is_open = False
        self.set_timeout(timeout_s)

    def set_timeout(self, timeout_s: float) -> None:
        """Give every request from now on that much time."""
        self._timer = self._hub.loop.timer(timeout_s, timeout_s)

    def request(self, wire: bytes, keep_body: bool = False) -> Answer:
        """Send one request and await its whole answer; what goes wrong is in the answer's `failure`."""
        self._forget_answer(keep_body)
        self._timer.again(getcurrent().throw, DeadlineError)
        try:
            if not self._is_open:
                self._connect()
            self._exchange(wire)
        except WireError as error:
            self.close()
            return Answer(error.failure, 0, self._received, self._body_bytes, False, None)
        finally:
            self._timer.stop()
        if not self._keep_alive:
            self.close()
        body = None if self._body is None else b"".join(self._body)
        return Answer(Failure.NONE, self._status, self._received, self._body_bytes, self._keep_alive, body)

    def ensure_open(self) -> bool:
        """Make sure that the connection is open and idle; False when the server cannot be reached."""
        if self._is_open and not self._is_silent():
            self.close()
        self._forget_answer(keep_body=False)
        self._timer.again(getcurrent().throw, DeadlineError)
        try:
            if not self._is_open:
                self._connect()
        except WireError:
            self.close()
        finally:
            self._timer.stop()
        return self._is_open

    def close(self) -> None:
        """Close the connection if it is open; the next request opens it again."""
        if self._is_open:
            self._is_open = False
            self._readable.close()
            self._socket.close()

    def on_body(self, data: bytes) -> None:
        """Count a piece of the body, and keep it if wanted (called by the parser)."""
        self._body_bytes += len(data)
        if self._body is not None:
            self._body.append(data)

    def on_message_complete(self) -> None:
        """Note the end of an answer; interim ones (1xx) do not count (called by the parser)."""
        status = self._parser.get_status_code()
        if status >= 200:
            self._answers += 1
            self._status = status
            self._keep_alive = self._parser.should_keep_alive()

    def _forget_answer(self, keep_body: bool) -> None:
        self._received = self._body_bytes = self._status = self._answers = 0
        self._body: list[bytes] | None = [] if keep_body else None

    def _connect(self) -> None:
        self._socket = KernelSocket(AF_INET, SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        self._readable = self._hub.loop.io(self._socket.fileno(), READ)
        self._is_open = True
        self._parser = HttpResponseParser(self)
        error = self._socket.connect_ex(self._address)
        if error == errno.EINPROGRESS:
            self._await_writable()
            error = self._socket.getsockopt(SOL_SOCKET, SO_ERROR)
        if error:
            raise WireError(Failure.CONNECT)
        self.opened += 1

    def _exchange(self, wire: bytes) -> None:
        try:
            self._send(wire)
            while not self._answers:
                self._await(self._readable)
                self._receive()
        except OSError as error:
            raise WireError(Failure.RESET) from error
        except HttpParserError as error:
            raise WireError(Failure.MALFORMED) from error
        if self._answers > 1:
            raise WireError(Failure.MALFORMED)

    def _send(self, wire: bytes) -> None:
        sent = self._socket.send(wire)
        while sent < len(wire):
            self._await_writable()
            sent += self._socket.send(wire[sent:])

    def _receive(self) -> None:
        data = self._socket.recv(CHUNK_BYTES)
        if not data:
            raise WireError(Failure.RESET)
        self._received += len(data)
        self._parser.feed_data(data)

    def _is_silent(self) -> bool:
        """Whether an idle connection is still open and has received nothing."""
        try:
            self._socket.recv(1, MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def _await_writable(self) -> None:
        watcher = self._hub.loop.io(self._socket.fileno(), WRITE)
        try:
            self._await(watcher)
        finally:
            watcher.close()

    def _await(self, watcher: Any) -> None:
        """Let other greenlets run until the watcher's socket is ready."""
        watcher.start(getcurrent().switch)
        try:
            self._hub.switch()
        finally:
            watcher.stop()
