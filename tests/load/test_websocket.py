"""WebSockets as the load uses them, against the library that the servers use, with scripted answers and for real."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import polars as pl
import pytest
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from wsproto.frame_protocol import FrameProtocol

from loadtests.config.contestants import load_contestants
from loadtests.config.scenarios import load_scenarios
from loadtests.load.connection import Answer
from loadtests.load.drive import drive
from loadtests.load.websocket import WebSocketConnection
from loadtests.machine.servers import launched
from loadtests.machine.services import Services
from loadtests.plan.rounds import Mode, Round, Slice
from loadtests.samples.store import Failure
from tests.conftest import CATALOG
from tests.support.shop import JWT_SECRET

USERS = 3
MODES: tuple[Mode, ...] = ("closed", "open")


def from_client(text: str) -> bytes:
    return bytes(FrameProtocol(client=True, extensions=[]).send_data(text))


def from_server(opcode: Opcode, payload: bytes, *, fin: bool = True, mask: bool = False) -> bytes:
    return Frame(opcode, payload, fin).serialize(mask=mask)


@dataclass
class Server:
    """Answers every text with the pieces of a script, one after the other; an empty script echoes."""

    pieces: Sequence[bytes] = ()
    heard: list[tuple[Opcode, bytes]] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        protocol = ServerProtocol(max_size=None)
        while data := connection.recv(65536):
            protocol.receive_data(data)
            for event in protocol.events_received():
                if isinstance(event, Request):
                    protocol.send_response(protocol.accept(event))
                    connection.sendall(b"".join(protocol.data_to_send()))
                elif isinstance(event, Frame):
                    self._answer(connection, event)

    def _answer(self, connection: socket.socket, frame: Frame) -> None:
        self.heard.append((frame.opcode, bytes(frame.data)))
        if frame.opcode == Opcode.TEXT:
            for piece in self.pieces or [from_server(Opcode.TEXT, bytes(frame.data))]:
                connection.sendall(piece)


@contextmanager
def connected(server: Server) -> Iterator[WebSocketConnection]:
    """A connection of the load to the server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.serve, args=[listener])
        thread.start()
        connection = WebSocketConnection("127.0.0.1", listener.getsockname()[1], "/ws", timeout_s=5)
        try:
            yield connection
        finally:
            connection.close()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def answered(*pieces: bytes) -> tuple[Answer, Server]:
    """What one request gets from a server that sends these pieces."""
    server = Server(pieces)
    with connected(server) as connection:
        answer = connection.request(from_client("say it"), keep_body=True)
    return answer, server


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65535, 65536])
def test_a_message_of_any_length_is_sent_and_its_echo_read(length: int) -> None:
    server, text = Server(), "x" * length
    with connected(server) as connection:
        answer = connection.request(from_client(text), keep_body=True)

    assert server.heard[0] == (Opcode.TEXT, text.encode())
    assert (answer.failure, answer.status, answer.body) == (Failure.NONE, 200, text.encode())
    assert answer.body_bytes == length
    assert answer.total_bytes == len(from_server(Opcode.TEXT, text.encode()))


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("length", [0, 125, 126])
def test_an_answer_is_read_however_it_is_cut(length: int, step: int) -> None:
    data = from_server(Opcode.TEXT, b"y" * length)

    answer, _ = answered(*(data[place : place + step] for place in range(0, len(data), step)))

    assert (answer.failure, answer.body) == (Failure.NONE, b"y" * length)


def test_a_message_in_frames_is_one_and_a_ping_between_them_is_answered() -> None:
    answer, server = answered(
        from_server(Opcode.TEXT, b"one ", fin=False),
        from_server(Opcode.PING, b"still there?") + from_server(Opcode.PONG, b""),
        from_server(Opcode.CONT, b"two"),
    )

    assert (answer.failure, answer.body) == (Failure.NONE, b"one two")
    assert server.heard == [(Opcode.TEXT, b"say it"), (Opcode.PONG, b"still there?")]


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        pytest.param(from_server(Opcode.CLOSE, b"\x03\xe9"), Failure.RESET, id="goodbye"),
        pytest.param(from_server(Opcode.TEXT, b"masked", mask=True), Failure.MALFORMED, id="masked"),
        pytest.param(b"\x83\x00", Failure.MALFORMED, id="unknown opcode"),
        pytest.param(2 * from_server(Opcode.TEXT, b"twice"), Failure.MALFORMED, id="two answers"),
    ],
)
def test_what_is_no_answer_fails_and_the_next_request_opens_a_new_socket(
    data: bytes, failure: Failure
) -> None:
    server = Server([data])
    with connected(server) as connection:
        first = connection.request(from_client("say it"))
        server.pieces = ()
        second = connection.request(from_client("say it"))

    assert (first.failure, first.status) == (failure, 0)
    assert second.failure == Failure.NONE
    assert connection.opened == 2


def test_opening_a_suspended_socket_again_is_not_counted() -> None:
    with connected(Server()) as connection:
        assert connection.ensure_open()
        connection.suspend()
        assert connection.request(from_client("again")).failure == Failure.NONE

    assert connection.opened == 1


def test_messages_are_loaded_and_counted_like_requests(
    running_services: Services, new_database: Callable[[], str]
) -> None:
    known, echo = load_contestants(CATALOG), load_scenarios(CATALOG)["ws-echo"]
    names = ("flask-gthread", "fastapi-uvicorn", "raw-asgi-uvicorn")  # the last one carries no sockets
    environment = {
        "DATABASE_URL": new_database(),
        "REDIS_URL": running_services.redis_url,
        "JWT_SECRET": JWT_SECRET,
    }
    slices = [
        Slice(
            index, index, echo.name, name, mode, 0.1, 0.03, USERS, 200.0 if mode == "open" else None, seed=1
        )
        for index, (mode, name) in enumerate((mode, name) for mode in MODES for name in names)
    ]
    with launched([known[name] for name in names], dict.fromkeys(names, environment), cpus=()) as endpoints:
        measured = drive(Round(0, tuple(slices)), (echo,), endpoints, cpus=(), seed=1)

    asked = measured.requests.join(measured.slices, on="slice")
    refused = asked.filter(pl.col("contestant") == names[2])
    answered = asked.filter(pl.col("contestant") != names[2])
    assert set(answered["failure"]) == {Failure.NONE}
    assert set(refused["failure"]) == {Failure.CONNECT}
    assert (answered["body_bytes"] > 80).all()
    facts = measured.slices.filter(pl.col("contestant") != names[2])
    assert facts["server_requests"].to_list() == facts["client_requests"].to_list()
    assert facts["connections"].to_list() == [USERS, USERS, 0, 0]  # opened again between slices, as planned


def test_who_carries_no_sockets_is_not_asked_for_them() -> None:
    known = load_contestants(CATALOG)
    asked = [name for name, one in known.items() if one.answers("ws-echo")]
    assert {"flask-gthread", "flask-gevent", "fastapi-uvicorn", "fastapi-granian"} <= set(asked)
    assert not {"flask-sync", "flask-granian", "raw-wsgi-gthread", "raw-asgi-uvicorn"} & set(asked)
    assert known["flask-sync"].answers("ping")
