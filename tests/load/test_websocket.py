"""The frames of WebSockets as the load sends and reads them, against the library that the servers use."""

from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from loadtests.config.contestants import load_contestants
from loadtests.config.scenarios import load_scenarios
from loadtests.load.drive import drive
from loadtests.load.websocket_frames import PONG, TEXT, FrameParser, frame, masked
from loadtests.machine.servers import launched
from loadtests.machine.services import Services
from loadtests.plan.rounds import Mode, Round, Slice
from loadtests.samples.store import Failure
from tests.conftest import CATALOG
from tests.support.shop import JWT_SECRET

USERS = 3
MODES: tuple[Mode, ...] = ("closed", "open")


class Heard:
    """What a parser has told of."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self._pieces: list[bytes] = []

    def on_body(self, data: bytes) -> None:
        self._pieces.append(data)

    def on_message_complete(self) -> None:
        self.messages.append(b"".join(self._pieces))
        self._pieces = []


def from_server(opcode: Opcode, payload: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin).serialize(mask=False)


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65535, 65536])
def test_a_server_understands_our_frames(length: int) -> None:
    server = ServerProtocol(state=OPEN, max_size=None)
    server.receive_data(frame(TEXT, b"x" * length, b"abcd"))
    [received] = server.events_received()
    assert isinstance(received, Frame)
    assert (received.opcode, bytes(received.data)) == (Opcode.TEXT, b"x" * length)


@given(st.binary(max_size=50), st.binary(min_size=4, max_size=4))
def test_masking_twice_changes_nothing(payload: bytes, key: bytes) -> None:
    assert masked(masked(payload, key), key) == payload
    assert masked(payload, key) == bytes(byte ^ key[place % 4] for place, byte in enumerate(payload))


@pytest.mark.parametrize("step", [1, 3, 100_000])
@pytest.mark.parametrize("length", [0, 125, 126, 65535, 65536])
def test_messages_are_read_however_they_are_cut(length: int, step: int) -> None:
    heard = Heard()
    parser = FrameParser(heard)
    data = from_server(Opcode.TEXT, b"y" * length) + from_server(Opcode.BINARY, b"\0")
    data = data if length < 1000 or step > 3 else data[:12]
    for place in range(0, len(data), step):
        parser.feed_data(data[place : place + step])
    assert heard.messages == ([b"y" * length, b"\0"] if len(data) > length else [])
    assert (parser.get_status_code(), parser.should_keep_alive()) == (200, True)


def test_a_message_in_pieces_is_one_and_a_ping_between_them_is_answered() -> None:
    heard = Heard()
    parser = FrameParser(heard)
    parser.feed_data(from_server(Opcode.TEXT, b"one ", fin=False))
    parser.feed_data(from_server(Opcode.PING, b"still there?") + from_server(Opcode.PONG, b""))
    assert heard.messages == []
    parser.feed_data(from_server(Opcode.CONT, b"two"))
    assert heard.messages == [b"one two"]
    assert parser.pongs == [frame(PONG, b"still there?", bytes(4))]


def test_a_goodbye_ends_the_connection() -> None:
    with pytest.raises(ConnectionResetError):
        FrameParser(Heard()).feed_data(from_server(Opcode.CLOSE, b"\x03\xe9"))


@pytest.mark.parametrize("data", [frame(TEXT, b"masked", b"abcd"), b"\x83\x00"])
def test_what_no_server_sends_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="frame"):
        FrameParser(Heard()).feed_data(data)


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
