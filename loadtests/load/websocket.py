"""A WebSocket with the face of an HTTP connection: one message out is a request, its echo is the answer.

Under gevent, as connection.py.
"""

from loadtests.load.connection import CHUNK_BYTES, Connection, WireError
from loadtests.load.websocket_frames import FrameParser, handshake
from loadtests.samples.store import Failure


class WebSocketConnection(Connection):
    """A WebSocket to one path of a server, opened when first needed and again after it was closed.

    A request is a whole frame; the next message of the server is its answer. The handshake is no request.
    """

    def __init__(self, host: str, port: int, path: str, timeout_s: float = 10.0) -> None:
        self._handshake = handshake(path)
        self._suspended = False
        super().__init__(host, port, timeout_s)

    def suspend(self) -> None:
        """Close it for now: some servers hold a thread for every socket. Opening it again is not counted."""
        self._suspended = self._suspended or self._is_open
        self.close()

    def _connect(self) -> None:
        super()._connect()
        try:
            self._send(self._handshake)
            head, rest = self._head()
        except OSError as error:
            raise WireError(Failure.RESET) from error
        if not head.startswith(b"HTTP/1.1 101 "):
            raise WireError(Failure.CONNECT)
        if rest:
            raise WireError(Failure.MALFORMED)
        self._frames = FrameParser(self)
        self._parser = self._frames  # type: ignore[assignment]  # the same three methods are asked of it
        if self._suspended:
            self._suspended = False
            self.opened -= 1

    def _head(self) -> tuple[bytes, bytes]:
        """The head of the answer to the handshake, and what follows it."""
        data, end = b"", b""
        while not end:
            self._await(self._readable)
            piece = self._socket.recv(CHUNK_BYTES)
            if not piece:
                raise WireError(Failure.RESET)
            head, end, rest = (data := data + piece).partition(b"\r\n\r\n")
        return head, rest

    def _receive(self) -> None:
        try:
            super()._receive()
        except ValueError as error:
            raise WireError(Failure.MALFORMED) from error
        pongs, self._frames.pongs = self._frames.pongs, []
        for pong in pongs:
            self._send(pong)
