"""Stock changes as server-sent events: on real servers, and what needs none in process."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx2
import pytest
import redis

from shared.ops.breaker import Breaker
from shared.ops.settings import Settings
from shared.shop.stock import BEHIND_MAX, Board, Ended, too_big, wanted_item
from tests.support.clients import Opened
from tests.support.shop import ADMIN, an_item, an_order, faults, in_process, problem, stock_of
from tests.support.sockets import events_of

SERVERS = ("flask-gthread", "fastapi-uvicorn")


@pytest.fixture(scope="module", params=SERVERS)
def home(request: pytest.FixtureRequest, url_of: Callable[[str], str]) -> str:
    """The URL of a server that runs."""
    return url_of(request.param)


@pytest.fixture
def shop(home: str) -> Iterator[httpx2.Client]:
    """A client of that server."""
    with httpx2.Client(base_url=home, headers=ADMIN, timeout=30) as client:
        yield client


def test_changes_are_streamed_as_they_happen(home: str, shop: httpx2.Client) -> None:
    with events_of(home) as events:
        item = an_item(shop, stock=9)
        assert events.next() == {"item_id": item["id"], "stock": 9}
        an_order(shop, (item, 2))
        assert events.next() == {"item_id": item["id"], "stock": 7}


def test_a_stream_says_what_it_is_and_is_neither_stored_nor_compressed(home: str) -> None:
    with events_of(home) as events:
        headers = events.response.headers
    assert headers["content-type"] == "text/event-stream"
    assert headers["cache-control"] == "no-store"
    assert "content-encoding" not in headers
    assert headers["x-content-type-options"] == "nosniff"


def test_the_changes_of_one_item_can_be_had_alone(home: str, shop: httpx2.Client) -> None:
    other, item = an_item(shop), an_item(shop)
    with events_of(home, f"?item_id={item['id']}") as events:
        shop.patch(f"/api/items/{other['id']}", json={"stock": 1})
        shop.patch(f"/api/items/{item['id']}", json={"stock": 2})
        assert events.next() == {"item_id": item["id"], "stock": 2}


def test_streams_that_clients_have_left_do_not_hold_up_the_server(home: str, shop: httpx2.Client) -> None:
    for _ in range(3):
        with events_of(home):
            pass
    with events_of(home) as events:
        item = an_item(shop, stock=1)
        assert events.next() == {"item_id": item["id"], "stock": 1}


@in_process
def test_head_ends_at_once(client: httpx2.Client) -> None:
    answer = client.head("/api/events/stock")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")


@in_process
@pytest.mark.parametrize(
    ("query", "code"), [("0", "too_small"), ("x", "wrong_type"), ("1&item_id=2", "not_allowed")]
)
def test_a_broken_filter_is_refused(client: httpx2.Client, query: str, code: str) -> None:
    assert faults(client.get(f"/api/events/stock?item_id={query}")) == [("?item_id", code)]


def test_without_redis_nobody_listens_and_orders_go_on(
    new_settings: Callable[[], Settings], unused_port: int, opened: Opened
) -> None:
    settings = replace(new_settings(), redis_url=f"redis://127.0.0.1:{unused_port}")
    with opened(settings) as client:
        item = an_item(client)
        an_order(client, (item, 1))
        assert stock_of(client, item) == 9
        problem(client.get("/api/events/stock"), 503, "unavailable")


def test_redis_is_told_of_all_changes_of_a_request_at_once(
    new_settings: Callable[[], Settings], opened: Opened
) -> None:
    settings = new_settings()
    rows = [{"name": f"row {number}", "price_cents": 1, "stock": number} for number in range(3)]
    with (
        redis.Redis.from_url(settings.redis_url) as listener,
        listener.pubsub(ignore_subscribe_messages=True) as pubsub,
        opened(settings) as client,
    ):
        pubsub.subscribe(f"{settings.namespace}:stock")
        pubsub.get_message(timeout=60)  # subscribed
        items = client.post("/api/items/batch", json={"items": rows}).json()["items"]
        message = pubsub.get_message(timeout=60)
    expected = [f'{{"item_id":{item["id"]},"stock":{item["stock"]}}}' for item in items]
    assert message is not None
    assert message["data"].decode().split("\n") == expected


def test_who_falls_behind_is_dropped_and_the_others_are_not() -> None:
    board, woken = Board(), []
    slow, quick = board.join(None, lambda: None), board.join(2, lambda: woken.append(1))
    for _ in range(BEHIND_MAX + 1):
        board.tell(b'{"item_id":1,"stock":0}')
    board.tell(b'{"item_id":2,"stock":0}')
    with pytest.raises(Ended, match="1013"):
        slow.take()
    assert (quick.take(), woken) == (['{"item_id":2,"stock":0}'], [1])


def test_a_board_that_is_closed_takes_nobody_in() -> None:
    board = Board()
    before = board.join(None, lambda: None)
    board.close()
    for box in (before, board.join(None, lambda: None)):
        with pytest.raises(Ended, match="1001"):
            box.take()


def test_who_has_left_is_told_nothing() -> None:
    board = Board()
    box = board.join(None, lambda: None)
    board.leave(box)
    board.leave(box)
    board.tell(b'{"item_id":1,"stock":0}')
    assert box.take() == []


def test_a_size_is_that_of_the_bytes() -> None:
    assert [too_big(data) for data in ("x" * 65536, "\u00e9" * 32768, b"x" * 65536)] == [False] * 3
    assert [too_big(data) for data in ("x" * 65537, "\u00e9" * 32769, b"x" * 65537)] == [True] * 3


def test_a_filter_is_one_positive_id_or_none() -> None:
    assert [wanted_item(given) for given in ([], ["7"], ["007"])] == [None, 7, 7]
    for given in (["0"], ["-1"], ["x"], [""], ["1\n"], ["1", "2"], [str(2**63)]):
        with pytest.raises(ValueError, match=r"\["):
            wanted_item(given)


def test_after_a_failure_redis_is_left_alone_for_a_while() -> None:
    times = iter([10.0, 10.5, 11.5])
    breaker = Breaker(lambda: next(times))
    breaker.failed()
    assert [breaker.allows(), breaker.allows()] == [False, True]
