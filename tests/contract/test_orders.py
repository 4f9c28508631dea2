"""Orders: one transaction that takes the stock or refuses all."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from tests.support.shop import (
    TIMESTAMP,
    a_user,
    an_item,
    an_order,
    created,
    faults,
    in_process,
    order_of,
    problem,
    stock_of,
    unique,
)

KEYS = ["id", "user_id", "status", "lines", "total_cents", "created_at"]


def test_an_order_takes_the_stock_at_the_price_of_the_moment(client: httpx2.Client) -> None:
    first, second = an_item(client, price_cents=250), an_item(client, price_cents=3)
    response = client.post("/api/orders", json=order_of((second, 4), (first, 2)))
    client.patch(f"/api/items/{first['id']}", json={"price_cents": 9})
    order = created(response)
    assert list(order) == KEYS
    assert order["lines"] == [
        {"item_id": second["id"], "quantity": 4, "unit_price_cents": 3},
        {"item_id": first["id"], "quantity": 2, "unit_price_cents": 250},
    ]
    assert list(order["lines"][0]) == ["item_id", "quantity", "unit_price_cents"]
    assert (order["user_id"], order["status"], order["total_cents"]) == (1, "confirmed", 512)
    assert TIMESTAMP.fullmatch(order["created_at"])
    assert response.headers["location"] == f"/api/orders/{order['id']}"
    assert client.get(response.headers["location"]).json() == order
    assert (stock_of(client, first), stock_of(client, second)) == (8, 6)


def test_all_is_refused_when_one_item_is_short_and_every_such_item_is_named(client: httpx2.Client) -> None:
    plenty, short, none = an_item(client), an_item(client, stock=1), an_item(client, stock=0)
    refused = client.post("/api/orders", json=order_of((plenty, 1), (short, 2), (none, 1)))
    detail = problem(refused, 409, "out_of_stock")["detail"]
    assert f"item {short['id']}" in detail
    assert f"item {none['id']}" in detail
    assert f"item {plenty['id']}" not in detail
    assert [stock_of(client, item) for item in (plenty, short, none)] == [10, 1, 0]


def test_the_last_of_the_stock_can_be_ordered(client: httpx2.Client) -> None:
    item = an_item(client, stock=3)
    an_order(client, (item, 3))
    assert stock_of(client, item) == 0


def test_an_order_of_an_unknown_item_is_404_and_takes_nothing(client: httpx2.Client) -> None:
    item = an_item(client)
    problem(client.post("/api/orders", json=order_of((item, 1), ({"id": 999999999}, 1))), 404, "not_found")
    assert stock_of(client, item) == 10


def test_an_order_of_an_unknown_user_is_404_and_takes_nothing(client: httpx2.Client) -> None:
    item = an_item(client)
    problem(client.post("/api/orders", json=order_of((item, 1), user_id=999999999)), 404, "not_found")
    assert stock_of(client, item) == 10


@in_process
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("/lines", "missing"), ("/user_id", "missing")]),
        ({"user_id": 1, "lines": []}, [("/lines", "too_short")]),
        ({"user_id": 1, "lines": [{"item_id": 1, "quantity": 1}] * 51}, [("/lines", "too_long")]),
        ({"user_id": 0, "lines": [{"item_id": 1, "quantity": 1}]}, [("/user_id", "too_small")]),
        ({"user_id": 2**63, "lines": [{"item_id": 1, "quantity": 1}]}, [("/user_id", "too_large")]),
        ({"user_id": 1, "lines": [{"item_id": 1, "quantity": 0}]}, [("/lines/0/quantity", "too_small")]),
        ({"user_id": 1, "lines": [{"item_id": 1, "quantity": 101}]}, [("/lines/0/quantity", "too_large")]),
        (
            {"user_id": 1, "lines": [{"item_id": item, "quantity": 1} for item in (7, 8, 7, 7)]},
            [("/lines/2/item_id", "not_allowed"), ("/lines/3/item_id", "not_allowed")],
        ),
    ],
)
@pytest.mark.parametrize("path", ["/api/orders", "/api/probe/echo"])
def test_a_broken_order_is_refused(
    client: httpx2.Client, path: str, body: Any, expected: list[tuple[str, str]]
) -> None:
    assert faults(client.post(path, json=body)) == expected


def test_fifty_lines_are_allowed(client: httpx2.Client) -> None:
    items = [an_item(client) for _ in range(50)]
    assert len(an_order(client, *((item, 1) for item in items))["lines"]) == 50


def test_cancelling_puts_the_stock_back_once(client: httpx2.Client) -> None:
    item = an_item(client)
    order = an_order(client, (item, 4))
    response = client.post(f"/api/orders/{order['id']}/cancel")
    assert (response.status_code, response.json()) == (200, order | {"status": "cancelled"})
    problem(client.post(f"/api/orders/{order['id']}/cancel"), 409, "already_cancelled")
    assert stock_of(client, item) == 10


def test_of_concurrent_cancels_one_succeeds(client: httpx2.Client) -> None:
    item = an_item(client)
    path = f"/api/orders/{an_order(client, (item, 4))['id']}/cancel"
    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(lambda _: client.post(path).status_code, range(8)))
    assert statuses == [200] + [409] * 7
    assert stock_of(client, item) == 10


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/orders/999999999"), ("POST", "/api/orders/999999999/cancel")]
)
def test_an_order_that_does_not_exist_is_404(client: httpx2.Client, method: str, path: str) -> None:
    problem(client.request(method, path), 404, "not_found")


def test_orders_are_listed_by_user(client: httpx2.Client) -> None:
    user, item = a_user(client), an_item(client)
    orders = [an_order(client, (item, 1), user_id=user["id"]) for _ in range(2)]
    page = client.get("/api/orders", params={"user_id": user["id"]}).json()
    assert (page["items"], page["total"]) == (orders, 2)


@pytest.mark.parametrize(
    ("value", "code"), [("0", "too_small"), ("x", "wrong_type"), (str(2**63), "too_large")]
)
def test_a_broken_user_id_in_the_query_is_refused(client: httpx2.Client, value: str, code: str) -> None:
    assert faults(client.get(f"/api/orders?user_id={value}")) == [("?user_id", code)]


def with_key(client: httpx2.Client, key: str, body: Any) -> httpx2.Response:
    return client.post("/api/orders", json=body, headers={"Idempotency-Key": key})


def test_a_repeated_key_gives_the_first_answer(client: httpx2.Client) -> None:
    item, key = an_item(client), unique("k").replace("_", "-")
    first, second = (with_key(client, key, order_of((item, 2))) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert first.headers["location"] == second.headers["location"]
    assert stock_of(client, item) == 8


def test_the_first_answer_is_given_even_after_the_order_was_cancelled(client: httpx2.Client) -> None:
    item, key = an_item(client), unique("k").replace("_", "-")
    first = with_key(client, key, order_of((item, 2)))
    client.post(f"{first.headers['location']}/cancel")
    assert with_key(client, key, order_of((item, 2))).content == first.content
    assert stock_of(client, item) == 10


def test_another_order_under_the_key_is_a_conflict(client: httpx2.Client) -> None:
    item, key = an_item(client), unique("k").replace("_", "-")
    with_key(client, key, order_of((item, 2)))
    problem(with_key(client, key, order_of((item, 3))), 409, "idempotency_conflict")
    assert stock_of(client, item) == 8


def test_a_refused_order_does_not_use_up_its_key(client: httpx2.Client) -> None:
    item, key = an_item(client, stock=0), unique("k").replace("_", "-")
    problem(with_key(client, key, order_of((item, 2))), 409, "out_of_stock")
    client.patch(f"/api/items/{item['id']}", json={"stock": 5})
    created(with_key(client, key, order_of((item, 2))))


def test_concurrent_repeats_make_one_order(client: httpx2.Client) -> None:
    item, key = an_item(client), unique("k").replace("_", "-")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: with_key(client, key, order_of((item, 2))), range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert stock_of(client, item) == 8


@pytest.mark.parametrize("key", ["", "x" * 65, "a b", "a_b", "é"])
def test_a_key_of_another_form_is_refused(client: httpx2.Client, key: str) -> None:
    body = order_of(({"id": 3}, 1))
    response = client.post("/api/orders", json=body, headers=[(b"Idempotency-Key", key.encode())])
    assert faults(response) == [("Idempotency-Key", "bad_format")]


def test_the_longest_key_is_accepted(client: httpx2.Client) -> None:
    created(with_key(client, unique("k").replace("_", "-").ljust(64, "0"), order_of((an_item(client), 1))))
