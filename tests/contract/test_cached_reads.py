"""The cached read: the same bytes as the plain one, never older than the last change, with and without Redis."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis
from sqlalchemy import Engine, event

from loadtests.machine.services import Services, services
from shared.ops.settings import Settings
from shared.shop import caching
from tests.support.clients import Opened
from tests.support.shop import an_item, an_order, in_process, problem
from tests.support.waiting import eventually

READERS = 50


def cached(client: httpx2.Client, item: Any) -> httpx2.Response:
    return client.get(f"/api/items/{item['id']}/cached")


def seen(client: httpx2.Client, item: Any) -> tuple[str, Any]:
    """What the cached read says: hit or miss, and the document."""
    answer = cached(client, item)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == client.get(f"/api/items/{item['id']}").content
    return answer.headers["x-cache"], answer.json()


@pytest.fixture
def settings(request: pytest.FixtureRequest, opened: Opened) -> Settings:
    """Settings that leave the database of this app's other tests as it is."""
    made: Callable[[], Settings] = request.getfixturevalue("new_settings")
    return made()


@contextmanager
def reads_counted() -> Iterator[list[str]]:
    """What both apps send to their databases to read an item."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("SELECT items"):
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture(scope="module")
def own_redis(running_services: Services) -> Iterator[Path]:
    """The socket of a Redis that these tests may treat badly."""
    with services({"DATABASE_URL": running_services.database_url}) as own:
        yield Path(own.redis_url.removeprefix("unix://"))


@contextmanager
def away(socket_: Path) -> Iterator[None]:
    """Nobody reaches a Redis while the block lasts; what it holds stays."""
    hidden = socket_.with_suffix(".hidden")
    with redis.Redis(unix_socket_path=str(socket_)) as admin:
        admin.ping()
        socket_.rename(hidden)
        admin.client_kill_filter(_type="normal", skipme=True)
    try:
        yield
    finally:
        hidden.rename(socket_)


def test_the_second_read_is_a_hit_with_the_bytes_of_the_plain_read(client: httpx2.Client) -> None:
    item = an_item(client, name="Bücher <&> \u2028", description="ö" * 300)
    assert [seen(client, item) for _ in range(3)] == [("miss", item), ("hit", item), ("hit", item)]


def test_what_does_not_exist_is_404_and_not_kept(client: httpx2.Client) -> None:
    missing = {"id": 999999999}
    for _ in range(3):
        answer = cached(client, missing)
        problem(answer, 404, "not_found")
        assert "x-cache" not in answer.headers


@in_process
@pytest.mark.parametrize("path", ["/api/items/0/cached", "/api/items/x/cached", "/api/items/1/cached/"])
def test_another_path_is_404(client: httpx2.Client, path: str) -> None:
    problem(client.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "body"),
    [("PUT", {"name": "new", "price_cents": 3}), ("PATCH", {"price_cents": 3}), ("PATCH", {"stock": 3})],
)
def test_a_change_is_seen_at_once(client: httpx2.Client, method: str, body: Any) -> None:
    item = an_item(client)
    cached(client, item)
    changed = client.request(method, f"/api/items/{item['id']}", json=body).json()
    assert [seen(client, item) for _ in range(2)] == [("miss", changed), ("hit", changed)]


def test_a_deleted_item_is_gone_at_once(client: httpx2.Client) -> None:
    item = an_item(client)
    cached(client, item)
    client.delete(f"/api/items/{item['id']}")
    problem(cached(client, item), 404, "not_found")


def test_orders_and_cancellations_are_seen_at_once(client: httpx2.Client) -> None:
    items = [an_item(client), an_item(client)]
    for item in items:
        cached(client, item)
    order = an_order(client, *((item, 4) for item in items))
    assert [seen(client, item)[1]["stock"] for item in items] == [6, 6]
    client.post(f"/api/orders/{order['id']}/cancel")
    assert [seen(client, item)[1]["stock"] for item in items] == [10, 10]


def test_a_refused_order_leaves_the_cache_alone(client: httpx2.Client) -> None:
    item = an_item(client, stock=1)
    cached(client, item)
    client.post("/api/orders", json={"user_id": 1, "lines": [{"item_id": item["id"], "quantity": 2}]})
    assert seen(client, item) == ("hit", item)


def test_head_answers_as_get(client: httpx2.Client) -> None:
    item = an_item(client)
    cached(client, item)
    got, head = cached(client, item), client.head(f"/api/items/{item['id']}/cached")
    assert head.content == b""
    for name in ("content-length", "etag", "x-cache", "content-type"):
        assert head.headers[name] == got.headers[name]


def test_of_many_readers_at_once_few_ask_the_database(opened: Opened, settings: Settings) -> None:
    with opened(settings) as client, ThreadPoolExecutor(READERS) as pool, reads_counted() as sent:
        client.get("/readyz")  # connections are open before the readers come
        answers = list(pool.map(lambda _: cached(client, {"id": 5}), range(READERS)))
    assert len({answer.content for answer in answers}) == 1
    misses = [answer for answer in answers if answer.headers["x-cache"] == "miss"]
    assert 1 <= len(misses) <= READERS // 5
    assert len(sent) == len(misses)


def test_who_finds_a_lease_waits_for_it_and_then_reads_for_itself(opened: Opened, settings: Settings) -> None:
    key = caching.item_key(settings.namespace, 5)
    with opened(settings) as client, redis.Redis.from_url(settings.redis_url) as store:
        store.set(key, caching.new_lease(), ex=60)
        assert cached(client, {"id": 5}).headers["x-cache"] == "miss"
        assert not caching.is_document(store.get(key))


def test_what_is_kept_is_kept_for_as_long_as_was_set(opened: Opened, settings: Settings) -> None:
    with (
        opened(replace(settings, cache_ttl_s=7)) as client,
        redis.Redis.from_url(settings.redis_url) as store,
    ):
        cached(client, {"id": 5})
        assert 0 < store.pttl(caching.item_key(settings.namespace, 5)) <= 7000


def test_a_row_read_before_a_change_is_never_stored_after_it(opened: Opened, settings: Settings) -> None:
    """A change between the read of the row and its storing: the row that the reader holds is old by then."""
    done: list[Any] = []

    def change(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("SELECT items") and "FOR UPDATE" not in statement and not done:
            done.append(writer.patch("/api/items/5", json={"stock": 77}).json())

    # After the cursor has executed, the rows are read: what the writer commits now comes too late for this reader.
    with opened(settings) as reader, opened(settings) as writer:
        event.listen(Engine, "after_cursor_execute", change)
        try:
            answer = cached(reader, {"id": 5})
        finally:
            event.remove(Engine, "after_cursor_execute", change)
        assert done[0]["stock"] == 77
        assert (answer.headers["x-cache"], answer.json()["stock"] == 77) == ("miss", False)
        assert seen(reader, {"id": 5}) == ("miss", done[0])
        assert seen(reader, {"id": 5}) == ("hit", done[0])


def test_without_redis_every_read_is_a_miss_and_nothing_fails(opened: Opened, settings: Settings) -> None:
    nowhere = replace(settings, redis_url="unix:///nowhere/redis.sock")
    with opened(nowhere) as client:
        item = an_item(client)
        assert [seen(client, item)[0] for _ in range(3)] == ["miss"] * 3
        client.patch(f"/api/items/{item['id']}", json={"stock": 8})
        order = an_order(client, (item, 1))
        assert seen(client, item)[1]["stock"] == 7
        client.post(f"/api/orders/{order['id']}/cancel")
        assert seen(client, item)[1]["stock"] == 8


def test_what_changes_while_redis_is_away_is_not_read_as_it_was_when_it_is_back(
    opened: Opened, settings: Settings, own_redis: Path
) -> None:
    with opened(replace(settings, redis_url=f"unix://{own_redis}")) as client:
        assert [seen(client, {"id": 5})[0] for _ in range(2)] == ["miss", "hit"]
        with away(own_redis):
            changed = client.patch("/api/items/5", json={"stock": 77}).json()
            assert seen(client, {"id": 5}) == ("miss", changed)

        def kept() -> bool:
            found, item = seen(client, {"id": 5})
            assert item == changed
            return found == "hit"

        eventually(kept, "the changed item comes from Redis")


def test_a_redis_that_does_not_answer_is_left_alone_for_a_moment(
    opened: Opened, settings: Settings, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "redis.sock"))
        mute.listen(READERS)
        mute.setblocking(False)
        with opened(replace(settings, redis_url=f"unix://{tmp_path}/redis.sock")) as client:
            assert [cached(client, {"id": 5}).status_code for _ in range(20)] == [200] * 20
        attempts = 0
        with suppress(BlockingIOError):
            while True:
                mute.accept()[0].close()
                attempts += 1
    assert 1 <= attempts <= 4
