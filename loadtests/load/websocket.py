"""A WebSocket with the interface of an HTTP connection: one message out is a request, the next one back is its answer.

Under gevent, as connection.py. The protocol (RFC 6455) is wsproto's. What is sent is framed in advance, as all requests
are: to frame each message when it is sent would cost the load generator a third more (44 against 34 µs of CPU time per
message, sent and answered; an HTTP request costs 15, in the same run).
"""

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import AcceptConnection, CloseConnection, Event, Message, Ping, RejectConnection, Request
from wsproto.utilities import RemoteProtocolError

from loadtests.load.connection import CHUNK_BYTES, Connection, WireError
from loadtests.samples.store import Failure


class WebSocketConnection(Connection):
    """A WebSocket to one path of a server, opened when first needed and again after it was closed.

    A request is a whole frame; the server's next message is its answer, with status 200. The handshake is not
    counted, and offers no extensions.
    """

    def __init__(self, host: str, port: int, path: str, timeout_s: float = 10.0) -> None:
        self._path = path
        self._suspended = False
        super().__init__(host, port, timeout_s)

    def suspend(self) -> None:
        """Close it for now, since some servers hold a thread per socket. Reopening it is not counted."""
        self._suspended = self._suspended or self._is_open
        self.close()

    def _connect(self) -> None:
        super()._connect()
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._accepted = False
        try:
            self._send(self._protocol.send(Request(host="sidebyside", target=self._path)))
            while not self._accepted:
                self._await(self._readable)
                self._receive()
        except OSError as error:
            raise WireError(Failure.RESET) from error
        if self._answers:  # a message that answers no request
            raise WireError(Failure.MALFORMED)
        self._received = 0
        if self._suspended:
            self._suspended = False
            self.opened -= 1

    def _receive(self) -> None:
        data = self._socket.recv(CHUNK_BYTES)
        if not data:
            raise WireError(Failure.RESET)
        self._received += len(data)
        try:
            self._protocol.receive_data(data)
            for event in self._protocol.events():
                self._take(event)
        except RemoteProtocolError as error:
            raise WireError(Failure.MALFORMED) from error

    def _take(self, event: Event) -> None:
        if isinstance(event, Message):
            self.on_body(event.data.encode() if isinstance(event.data, str) else event.data)
            if event.message_finished:
                self._answers += 1
                self._status, self._keep_alive = 200, True
        elif isinstance(event, Ping):
            self._send(self._protocol.send(event.response()))
        elif isinstance(event, AcceptConnection):
            self._accepted = True
        elif isinstance(event, RejectConnection):
            raise WireError(Failure.CONNECT)
        elif isinstance(
            event, CloseConnection
        ):  # wsproto ends a connection in its own name when a frame is malformed
            by_server = self._protocol.state is not ConnectionState.OPEN
            raise WireError(Failure.RESET if by_server else Failure.MALFORMED)
