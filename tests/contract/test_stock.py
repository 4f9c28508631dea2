"""Stock under concurrency, on every kind of server that runs an app: never oversold, never lost, never a deadlock."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from tests.support.shop import ADMIN, an_item, order_of, stock_of

# One of every way to run requests side by side: processes, threads, greenlets, an event loop, and loops in threads.
SERVERS = (
    "flask-gthread-2w",
    "flask-gevent",
    "fastapi-uvicorn",
    "flask-async-views",
    "fastapi-sync",
)
THREADS = 40


@contextmanager
def many_at_once(client: httpx2.Client) -> Iterator[Callable[[list[tuple[str, Any]]], list[httpx2.Response]]]:
    """Posts all of (path, body) from a pool of threads, and gives the answers in that order."""
    with ThreadPoolExecutor(THREADS) as pool:
        yield lambda posts: list(pool.map(lambda post: client.post(post[0], json=post[1]), posts))


@pytest.fixture(scope="session", params=SERVERS)
def server(request: pytest.FixtureRequest, url_of: Callable[[str], str]) -> Iterator[httpx2.Client]:
    limits = httpx2.Limits(max_connections=THREADS)
    with httpx2.Client(base_url=url_of(request.param), timeout=60, limits=limits, headers=ADMIN) as client:
        yield client


def test_two_hundred_orders_for_a_stock_of_fifty_confirm_exactly_fifty(server: httpx2.Client) -> None:
    item = an_item(server, stock=50)
    with many_at_once(server) as post_all:
        answers = post_all([("/api/orders", order_of((item, 1)))] * 200)
    assert Counter(answer.status_code for answer in answers) == {201: 50, 409: 150}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"out_of_stock"}
    assert stock_of(server, item) == 0


def test_orders_and_cancels_that_race_keep_stock_and_ordered_constant(server: httpx2.Client) -> None:
    item = an_item(server, stock=20)
    new = ("/api/orders", order_of((item, 2)))
    with many_at_once(server) as post_all:
        placed = [answer.json() for answer in post_all([new] * 10)]
        cancels = [(f"/api/orders/{order['id']}/cancel", None) for order in placed]
        race = [post for cancel in cancels for post in (cancel, new, cancel, new)]
        answers = post_all(race)
    confirmed = sum(answer.status_code == 201 for answer in answers)
    assert sum(answer.status_code == 200 for answer in answers) == len(placed)
    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    assert stock_of(server, item) + 2 * confirmed == 20


def test_orders_with_lines_in_opposite_order_do_not_deadlock(server: httpx2.Client) -> None:
    first, second = an_item(server, stock=500), an_item(server, stock=500)
    forth = ("/api/orders", order_of((first, 1), (second, 1)))
    back = ("/api/orders", order_of((second, 1), (first, 1)))
    with many_at_once(server) as post_all:
        answers = post_all([forth, back] * 60)
    assert Counter(answer.status_code for answer in answers) == {201: 120}
    assert (stock_of(server, first), stock_of(server, second)) == (380, 380)


def test_cancels_and_orders_of_the_same_items_in_opposite_order_do_not_deadlock(
    server: httpx2.Client,
) -> None:
    first, second = an_item(server, stock=500), an_item(server, stock=500)
    forth = ("/api/orders", order_of((first, 1), (second, 1)))
    back = ("/api/orders", order_of((second, 1), (first, 1)))
    with many_at_once(server) as post_all:
        placed = post_all([forth, back] * 20)
        cancels = [(f"{answer.headers['location']}/cancel", None) for answer in placed]
        answers = post_all([post for cancel in cancels for post in (cancel, back)])
    assert Counter(answer.status_code for answer in answers) == {200: 40, 201: 40}
    assert (stock_of(server, first), stock_of(server, second)) == (460, 460)
