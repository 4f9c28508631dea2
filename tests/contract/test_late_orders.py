"""The probe that answers now and takes the stock later: a mistake on purpose, which has to go wrong as promised."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from loadtests.studies.oversell import sell_late, sell_really
from tests.support.shop import ADMIN, an_item, anonymous, faults, in_process, problem, stock_of
from tests.support.waiting import eventually

PATH = "/api/probe/late-orders"


def order_late(client: httpx2.Client, item: Any, quantity: int, delay_ms: int = 0) -> httpx2.Response:
    body = {"item_id": item["id"], "quantity": quantity}
    return anonymous(client, "POST", f"{PATH}?delay_ms={delay_ms}", json=body)


def carried_out(client: httpx2.Client, item: Any) -> Any:
    """The tally of an item when nothing of it is still to be taken."""

    def whole_tally() -> Any:
        tally = client.get(f"{PATH}/{item['id']}").json()
        return tally if tally["accepted"] == tally["taken"] + tally["oversold"] else None

    return eventually(whole_tally, "all that was accepted is taken or oversold")


@in_process
def test_a_late_order_is_accepted_now_and_takes_its_stock_later(client: httpx2.Client) -> None:
    item = an_item(client, stock=10)
    response = order_late(client, item, 3, delay_ms=30)
    assert (response.status_code, response.content) == (202, b'{"accepted":true,"delay_ms":30}')
    assert carried_out(client, item) == {"item_id": item["id"], "accepted": 3, "taken": 3, "oversold": 0}
    assert stock_of(client, item) == 7


@in_process
def test_a_late_order_is_seen_in_the_cached_item_too(client: httpx2.Client) -> None:
    item = an_item(client, stock=2)
    path = f"/api/items/{item['id']}/cached"
    assert client.get(path).json()["stock"] == 2
    order_late(client, item, 1)
    eventually(lambda: client.get(path).json()["stock"] != 2, "the item is not kept as it was")
    assert client.get(path).json()["stock"] == 1


@in_process
def test_late_orders_are_added_up(client: httpx2.Client) -> None:
    item = an_item(client, stock=10)
    for quantity in (1, 4):
        order_late(client, item, quantity)
        carried_out(client, item)
    assert carried_out(client, item) == {"item_id": item["id"], "accepted": 5, "taken": 5, "oversold": 0}


@in_process
def test_what_is_not_in_stock_now_is_not_promised(client: httpx2.Client) -> None:
    item = an_item(client, stock=2)
    problem(order_late(client, item, 3), 409, "out_of_stock")
    nothing = {"item_id": item["id"], "accepted": 0, "taken": 0, "oversold": 0}
    assert client.get(f"{PATH}/{item['id']}").json() == nothing


@in_process
def test_an_item_that_does_not_exist_is_404(client: httpx2.Client) -> None:
    problem(order_late(client, {"id": 999_999_999}, 1), 404, "not_found")
    problem(client.get(f"{PATH}/999999999"), 404, "not_found")


@in_process
def test_an_item_takes_its_tally_with_it(client: httpx2.Client) -> None:
    item = an_item(client, stock=1)
    order_late(client, item, 1)
    carried_out(client, item)
    assert client.delete(f"/api/items/{item['id']}").status_code == 204


@in_process
def test_a_fault_in_the_body_and_one_in_the_query_are_told_at_once_or_one_after_the_other(
    client: httpx2.Client,
) -> None:
    response = client.post(f"{PATH}?delay_ms=10001", json={"item_id": 0, "quantity": "1"})
    body, query = [("/item_id", "too_small"), ("/quantity", "wrong_type")], [("?delay_ms", "too_large")]
    assert faults(response) in (body, query, body + query)


@pytest.mark.parametrize("server", ["flask-gthread", "fastapi-uvicorn"])
def test_late_orders_oversell_where_real_ones_never_do(url_of: Callable[[str], str], server: str) -> None:
    limits = httpx2.Limits(max_connections=40)
    with httpx2.Client(base_url=url_of(server), headers=ADMIN, timeout=30, limits=limits) as client:
        late = sell_late(client, stock=5, buyers=40, delay_ms=500)
        real = sell_really(client, stock=5, buyers=40)
    assert late.oversold == late.accepted - 5 > 0
    assert (real.accepted, real.oversold) == (5, 0)
