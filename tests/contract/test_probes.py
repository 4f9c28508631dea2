"""The small endpoints that the experiments need."""

import time

import httpx2
import pytest

from tests.support.shop import faults, in_process

NUMBERS = [
    ("/api/probe/json", "n", 1000),
    ("/api/probe/sleep", "ms", 10_000),
    ("/api/probe/blocking", "ms", 10_000),
    ("/api/probe/cpu", "n", 10_000_000),
]


def test_ping_answers_pong(client: httpx2.Client) -> None:
    assert client.get("/api/probe/ping").content == b'{"message":"pong"}'


@in_process
@pytest.mark.parametrize("count", [0, 1, 50, 1000])
def test_json_computes_as_many_items_as_asked(client: httpx2.Client, count: int) -> None:
    items = client.get(f"/api/probe/json?n={count}").json()["items"]
    assert [item["id"] for item in items] == list(range(1, count + 1))
    assert all(list(item) == ["id", "name", "description", "price_cents", "stock"] for item in items)


def test_json_computes_fifty_items_by_default(client: httpx2.Client) -> None:
    assert client.get("/api/probe/json").content == client.get("/api/probe/json?n=50").content


@in_process
@pytest.mark.parametrize(("path", "name", "most"), NUMBERS)
def test_the_number_of_a_probe_has_bounds(client: httpx2.Client, path: str, name: str, most: int) -> None:
    assert faults(client.get(f"{path}?{name}=-1")) == [(f"?{name}", "too_small")]
    assert faults(client.get(f"{path}?{name}={most + 1}")) == [(f"?{name}", "too_large")]
    assert faults(client.get(f"{path}?{name}=1.5")) == [(f"?{name}", "wrong_type")]


def test_echo_returns_what_it_validated(client: httpx2.Client) -> None:
    body = (
        b'{"user_id":9223372036854775807,"lines":[{"item_id":2,"quantity":1},{"item_id":1,"quantity":100}]}'
    )
    response = client.post("/api/probe/echo", content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.content) == (200, body)


@pytest.mark.parametrize("path", ["/api/probe/sleep", "/api/probe/blocking"])
def test_a_wait_lasts_as_long_as_asked(client: httpx2.Client, path: str) -> None:
    before_s = time.monotonic()
    response = client.get(f"{path}?ms=30")
    assert response.content == b'{"ms":30}'
    assert time.monotonic() - before_s >= 0.030


def test_a_wait_lasts_fifty_milliseconds_by_default(client: httpx2.Client) -> None:
    assert client.get("/api/probe/sleep").json() == {"ms": 50}


@pytest.mark.parametrize(("rounds", "result"), [(0, 1), (1, 1_015_568_748)])
def test_cpu_computes_the_same_everywhere(client: httpx2.Client, rounds: int, result: int) -> None:
    assert client.get(f"/api/probe/cpu?n={rounds}").json() == {"result": result}


def test_the_server_counts_its_requests(client: httpx2.Client) -> None:
    before = client.get("/api/probe/requests").json()
    client.get("/nope")
    after = client.get("/api/probe/requests").json()
    assert after == {"pid": before["pid"], "requests": before["requests"] + 2}
