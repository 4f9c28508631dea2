"""WebSockets on real servers: an echo, and stock changes, by whatever process they were made."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import Any

import httpx2
import pytest
import redis
from sqlalchemy import make_url
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection

from fastapi_app.app import create_app as create_fastapi_app
from loadtests.config.contestants import load_contestants
from loadtests.errors import ServerError
from loadtests.machine.servers import Endpoint, launched
from loadtests.machine.services import Services
from shared.ops.settings import Settings
from shared.shop.stock import MESSAGE_MAX_BYTES
from tests.conftest import CATALOG
from tests.support.shop import ADMIN, JWT_SECRET, an_item, an_order, created, problem, unique
from tests.support.sockets import WITHIN_S, LazySocket, change_told_to, close_code, listening, socket_to

SERVERS = ("flask-gthread", "flask-gevent", "fastapi-uvicorn")


@pytest.fixture(scope="module")
def shared_redis(running_services: Services) -> Iterator[redis.Redis]:
    """The Redis that all servers share."""
    with redis.Redis.from_url(running_services.redis_url) as client:
        yield client


@pytest.fixture(scope="module")
def database(new_database: Callable[[], str]) -> str:
    """One database for several servers."""
    return new_database()


@pytest.fixture(scope="module")
def channel(database: str) -> str:
    """Where changes in that database are published."""
    return f"{make_url(database).database}:stock"


def launched_on(
    services: Services, database: str, *names: str
) -> AbstractContextManager[dict[str, Endpoint]]:
    """Servers on one and the same database, as workers are."""
    environment = {
        "DATABASE_URL": database,
        "REDIS_URL": services.redis_url,
        "JWT_SECRET": JWT_SECRET,
        "DRAIN_S": "0.1",
    }
    known = load_contestants(CATALOG)
    return launched([known[name] for name in names], dict.fromkeys(names, environment), cpus=())


@pytest.fixture(scope="module")
def running(running_services: Services, database: str) -> Iterator[dict[str, Endpoint]]:
    """Both apps, on all servers that carry WebSockets."""
    with launched_on(running_services, database, *SERVERS) as servers:
        yield servers


@pytest.fixture(scope="module")
def homes(running: dict[str, Endpoint]) -> dict[str, str]:
    """The URLs of these servers."""
    return {name: f"http://{one.host}:{one.port}" for name, one in running.items()}


@pytest.fixture(params=SERVERS)
def home(request: pytest.FixtureRequest, homes: dict[str, str]) -> str:
    """The URL of a server that carries WebSockets."""
    return homes[request.param]


@pytest.fixture
def socket(home: str) -> Iterator[ClientConnection]:
    """A WebSocket to the echo."""
    with socket_to(home, "/ws/echo") as opened:
        yield opened


@pytest.mark.parametrize(
    "message", ["hello", "", "\u00e9\u4e2d\U0001f600", b"\x00\xff", b"", "x" * MESSAGE_MAX_BYTES]
)
def test_a_message_comes_back_as_it_is(socket: ClientConnection, message: str | bytes) -> None:
    socket.send(message)
    assert socket.recv(WITHIN_S) == message


def test_a_message_in_pieces_comes_back_whole(socket: ClientConnection) -> None:
    socket.send(["one ", "two ", "three"])
    assert socket.recv(WITHIN_S) == "one two three"


def test_messages_come_back_in_their_order(socket: ClientConnection) -> None:
    for number in range(100):
        socket.send(str(number))
    assert [socket.recv(WITHIN_S) for _ in range(100)] == [str(number) for number in range(100)]


@pytest.mark.parametrize("message", ["x" * (MESSAGE_MAX_BYTES + 1), "\u00e9" * 40_000, b"x" * 500_000])
def test_a_message_beyond_64_kib_closes_the_socket(socket: ClientConnection, message: str | bytes) -> None:
    socket.send(message)
    assert close_code(socket) == 1009


def test_every_message_counts_as_a_request_and_the_handshake_does_not(home: str) -> None:
    def count() -> int:
        return int(httpx2.get(f"{home}/api/probe/requests").json()["requests"])

    before = count()
    with socket_to(home, "/ws/echo") as socket:
        for _ in range(5):
            socket.send("ping")
            socket.recv(WITHIN_S)
        assert count() == before + 5 + 1


@pytest.mark.parametrize("path", ["/ws/echo", "/ws/items"])
def test_without_a_handshake_there_is_nothing(home: str, path: str) -> None:
    problem(httpx2.get(f"{home}{path}"), 404, "not_found")


def test_a_handshake_elsewhere_is_refused(home: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        socket_to(home, "/ws/nope")
    assert refused.value.response.status_code in {403, 404}  # uvicorn's own answer is 403


@pytest.mark.parametrize("query", ["?item_id=x", "?item_id=0", "?item_id=1&item_id=2"])
def test_a_broken_filter_closes_the_socket(home: str, query: str) -> None:
    with socket_to(home, f"/ws/items{query}") as socket:
        assert close_code(socket) == 1008


def test_a_socket_that_the_client_closed_is_forgotten(home: str) -> None:
    for _ in range(20):  # more than gthread has threads
        with socket_to(home, "/ws/items"):
            pass
    with socket_to(home, "/ws/echo") as socket:
        socket.send("still there")
        assert socket.recv(WITHIN_S) == "still there"


@pytest.fixture(params=["flask-gthread", "fastapi-uvicorn"])
def shop(request: pytest.FixtureRequest, homes: dict[str, str]) -> Iterator[httpx2.Client]:
    """The app that changes something."""
    with httpx2.Client(base_url=homes[request.param], headers=ADMIN, timeout=30) as client:
        yield client


@pytest.fixture
def told(homes: dict[str, str], shared_redis: redis.Redis, channel: str) -> Iterator[Callable[[], list[Any]]]:
    """Sockets to all servers on that database; gives what each was told of next, which is the same."""
    with ExitStack() as opened:
        sockets = [opened.enter_context(listening(home, shared_redis, channel)) for home in homes.values()]
        # Those that were opened first have heard what was made up for the others.
        shared_redis.publish(channel, '{"item_id":0,"stock":-3}')
        for socket in sockets:
            while change_told_to(socket)["stock"] != -3:
                pass
        yield lambda: [change_told_to(socket) for socket in sockets]


def test_every_process_tells_what_any_has_changed(shop: httpx2.Client, told: Callable[[], list[Any]]) -> None:
    def everybody_hears(item: Any, stock: int) -> None:
        assert told() == [{"item_id": item["id"], "stock": stock}] * len(SERVERS)

    item = an_item(shop, stock=10)
    everybody_hears(item, 10)
    order = an_order(shop, (item, 4))
    everybody_hears(item, 6)
    shop.post(f"/api/orders/{order['id']}/cancel")
    everybody_hears(item, 10)
    shop.patch(f"/api/items/{item['id']}", json={"name": unique("renamed")})  # says nothing of the stock
    shop.patch(f"/api/items/{item['id']}", json={"stock": 3})
    everybody_hears(item, 3)
    shop.put(f"/api/items/{item['id']}", json={"name": unique("new"), "price_cents": 1})
    everybody_hears(item, 0)
    rows = [{"name": unique("batch"), "price_cents": 1, "stock": stock} for stock in (5, 7)]
    for one in created(shop.post("/api/items/batch", json={"items": rows}))["items"]:
        everybody_hears(one, one["stock"])


def test_an_order_that_is_refused_is_told_to_nobody(
    shop: httpx2.Client, told: Callable[[], list[Any]]
) -> None:
    first, second = an_item(shop, stock=1), an_item(shop, stock=0)
    lines = [{"item_id": one["id"], "quantity": 1} for one in (first, second)]
    problem(shop.post("/api/orders", json={"user_id": 1, "lines": lines}), 409, "out_of_stock")
    third = an_item(shop, stock=9)
    heard_of = [told()[0]["item_id"] for _ in range(3)]
    assert heard_of == [first["id"], second["id"], third["id"]]


@pytest.mark.parametrize("name", SERVERS)
def test_a_filter_lets_one_item_through(
    homes: dict[str, str], shared_redis: redis.Redis, channel: str, name: str
) -> None:
    with listening(homes[name], shared_redis, channel, "?item_id=7") as socket:
        shared_redis.publish(channel, '{"item_id":70,"stock":1}\n{"item_id":7,"stock":2}')
        assert change_told_to(socket) == {"item_id": 7, "stock": 2}


@pytest.mark.parametrize("name", SERVERS)
def test_a_process_subscribes_once_however_many_listen(
    homes: dict[str, str], shared_redis: redis.Redis, channel: str, name: str
) -> None:
    with listening(homes[name], shared_redis, channel):
        [(_, before)] = shared_redis.pubsub_numsub(channel)  # type: ignore[misc]
        with listening(homes[name], shared_redis, channel):
            [(_, after)] = shared_redis.pubsub_numsub(channel)  # type: ignore[misc]
    assert 1 <= after == before


def sure_to_listen(slow: LazySocket, shared_redis: redis.Redis, channel: str) -> None:
    """Makes changes up until the socket is told of one."""
    done = threading.Event()

    def make_up() -> None:
        while not done.wait(0.05):
            shared_redis.publish(channel, '{"item_id":1,"stock":-1}')

    with ThreadPoolExecutor(1) as pool:
        pool.submit(make_up)
        slow.recv()
        done.set()


@pytest.mark.parametrize("name", SERVERS)
def test_who_does_not_keep_up_is_dropped(
    homes: dict[str, str], shared_redis: redis.Redis, channel: str, name: str
) -> None:
    wave = "\n".join(f'{{"item_id":1,"stock":{number:<4000}}}' for number in range(100))
    with (
        LazySocket(homes[name], "/ws/items?item_id=1") as slow,
        listening(homes[name], shared_redis, channel, "?item_id=2") as quick,
    ):
        sure_to_listen(slow, shared_redis, channel)
        for _ in range(50):
            shared_redis.publish(channel, wave)
        shared_redis.publish(channel, '{"item_id":2,"stock":0}')
        assert change_told_to(quick) == {"item_id": 2, "stock": 0}
        said = slow.recv()
        while isinstance(said, str):
            said = slow.recv()
        assert said == 1013


def test_without_redis_a_socket_is_sent_away(new_database: Callable[[], str], unused_port: int) -> None:
    nowhere = f"redis://127.0.0.1:{unused_port}"
    environment = {"DATABASE_URL": new_database(), "REDIS_URL": nowhere, "JWT_SECRET": JWT_SECRET}
    contestant = load_contestants(CATALOG)["flask-gthread"]
    with (
        launched([contestant], {contestant.name: environment}, cpus=()) as servers,
        socket_to(f"http://127.0.0.1:{servers[contestant.name].port}", "/ws/items") as socket,
    ):
        assert close_code(socket) == 1013
    app = create_fastapi_app(Settings(environment["DATABASE_URL"], nowhere, JWT_SECRET))
    with (
        TestClient(app) as client,
        client.websocket_connect("/ws/items") as session,
        pytest.raises(WebSocketDisconnect) as refused,
    ):
        session.receive_text()
    assert refused.value.code == 1013


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_stops_says_goodbye_and_ends(
    running_services: Services, database: str, shared_redis: redis.Redis, channel: str, name: str
) -> None:
    ended = None
    with suppress(ServerError), launched_on(running_services, database, name) as servers:
        server = servers[name]
        home = f"http://{server.host}:{server.port}"
        with socket_to(home, "/ws/echo") as echo, listening(home, shared_redis, channel) as items:
            os.kill(server.pid, signal.SIGTERM)
            assert close_code(items) == 1001
            assert close_code(echo) in {1001, 1012}  # uvicorn itself says that it restarts
        ended = os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)
    assert ended
