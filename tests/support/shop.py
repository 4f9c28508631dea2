"""Words that the tests of the shop share: making rows, and reading answers."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from shared.http.tokens import issue_token
from shared.shop.callers import Caller
from shared.shop.limits import now

TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
JWT_SECRET = "a secret that only the tests use, of 48 characters"
JSON = {"Content-Type": "application/json"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
PROBLEM_KEYS = ["type", "title", "status", "detail", "code"]
# For tests to which no server has anything to add. A test with settings of its own takes the fixture `opened`.
in_process = pytest.mark.parametrize("client", ["flask_in_process", "fastapi_in_process"], indirect=True)


def bearer(user_id: int, *, is_admin: bool = False) -> dict[str, str]:
    """The header that speaks for a user."""
    token = issue_token(Caller(user_id, is_admin), JWT_SECRET, now(), timedelta(hours=1))
    return {"Authorization": f"Bearer {token}"}


ADMIN = bearer(1, is_admin=True)


def anonymous(client: httpx2.Client, method: str, path: str, **rest: Any) -> httpx2.Response:
    """The answer to a request without a token: clients send an admin's unless told otherwise."""
    request = client.build_request(method, path, **rest)
    del request.headers["Authorization"]
    return client.send(request)


def unique(prefix: str = "thing") -> str:
    """A name that nothing else in the database has; a valid username."""
    return f"{prefix}_{uuid4().hex[:12]}"


def created(response: httpx2.Response) -> Any:
    """The document of a 201."""
    assert response.status_code == 201, response.text
    return response.json()


def an_item(client: httpx2.Client, **fields: Any) -> Any:
    """A new item; ten of it in stock unless said otherwise."""
    return created(
        client.post("/api/items", json={"name": unique("item"), "price_cents": 250, "stock": 10} | fields)
    )


def user_fields(**fields: Any) -> dict[str, Any]:
    """What it takes to create a user that does not exist yet."""
    name = unique("user")
    return {"username": name, "email": f"{name}@example.com", "password": "correct horse"} | fields


def a_user(client: httpx2.Client, **fields: Any) -> Any:
    """A new user."""
    return created(client.post("/api/users", json=user_fields(**fields)))


def order_of(*quantities: tuple[Any, int], user_id: int = 1) -> dict[str, Any]:
    """The body that orders so many of each item; user 1 is in every seeded database."""
    lines = [{"item_id": item["id"], "quantity": quantity} for item, quantity in quantities]
    return {"user_id": user_id, "lines": lines}


def an_order(client: httpx2.Client, *quantities: tuple[Any, int], user_id: int = 1) -> Any:
    """A new order."""
    return created(client.post("/api/orders", json=order_of(*quantities, user_id=user_id)))


def stock_of(client: httpx2.Client, item: Any) -> int:
    """How many of an item are in stock now."""
    return int(client.get(f"/api/items/{item['id']}").json()["stock"])


def problem(response: httpx2.Response, status: int, code: str) -> Any:
    """The problem document of an answer, after checking its form."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert list(document) == [*PROBLEM_KEYS, *(["errors"] if code == "invalid" else [])]
    assert document["type"] == f"/problems/{code}"
    assert (document["code"], document["status"]) == (code, status)
    assert document["title"]
    assert document["detail"]
    return document


def faults(response: httpx2.Response) -> list[tuple[str, str]]:
    """Pointers and codes of a 422, in the order of the answer."""
    errors = problem(response, 422, "invalid")["errors"]
    assert all(list(error) == ["pointer", "code", "message"] and error["message"] for error in errors)
    found = [(error["pointer"], error["code"]) for error in errors]
    assert found == sorted(found)
    return found


def in_chunks(body: bytes) -> Iterator[bytes]:
    """The body in pieces of 64 KiB: a client sends it so, without saying how long it is."""
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]
