"""Logging in, and who may call what."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from argon2 import PasswordHasher

from loadtests.machine.services import Services
from shared.ops.settings import Settings
from shared.shop import passwords
from shared.shop.seeded import PASSWORD
from tests.support.clients import Opened
from tests.support.shop import (
    ADMIN,
    JWT_SECRET,
    a_user,
    an_item,
    an_order,
    anonymous,
    bearer,
    faults,
    in_process,
    order_of,
    problem,
    unique,
    user_fields,
)

GUARDED = [
    ("POST", "/api/items"),
    ("POST", "/api/items/batch"),
    ("PUT", "/api/items/1"),
    ("PATCH", "/api/items/1"),
    ("DELETE", "/api/items/1"),
    ("GET", "/api/users"),
    ("GET", "/api/users/me"),
    ("GET", "/api/users/1"),
    ("PATCH", "/api/users/1"),
    ("DELETE", "/api/users/1"),
    ("GET", "/api/orders"),
    ("POST", "/api/orders"),
    ("GET", "/api/orders/1"),
    ("POST", "/api/orders/1/cancel"),
]
ADMINS_ONLY = [*GUARDED[:6], *GUARDED[7:10]]


@pytest.fixture
def somebody(client: httpx2.Client) -> Any:
    """A user with the password of `user_fields`."""
    return a_user(client)


def log_in(client: httpx2.Client, username: str, password: str) -> httpx2.Response:
    return anonymous(client, "POST", "/api/auth/token", json={"username": username, "password": password})


def test_a_login_gives_a_token_that_speaks_for_the_user(client: httpx2.Client) -> None:
    answer = log_in(client, "user_007", PASSWORD)
    assert answer.status_code == 200
    assert list(answer.json()) == ["access_token", "token_type", "expires_in"]
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 900)
    assert answer.headers["cache-control"] == "no-store"
    me = client.get("/api/users/me", headers={"Authorization": f"Bearer {answer.json()['access_token']}"})
    assert (me.json()["id"], me.json()["username"]) == (7, "user_007")


@in_process
def test_a_new_user_logs_in_with_the_password_given(client: httpx2.Client) -> None:
    fields = user_fields(password="ünusual pässword")
    anonymous(client, "POST", "/api/users", json=fields)
    assert log_in(client, fields["username"], "ünusual pässword").status_code == 200


@in_process
def test_a_changed_password_replaces_the_old_one(client: httpx2.Client, somebody: Any) -> None:
    client.patch(
        f"/api/users/{somebody['id']}", json={"password": "another one"}, headers=bearer(somebody["id"])
    )
    assert log_in(client, somebody["username"], "another one").status_code == 200
    problem(log_in(client, somebody["username"], "correct horse"), 401, "unauthorized")


@in_process
def test_a_wrong_password_and_an_unknown_user_are_told_apart_by_nothing(
    client: httpx2.Client, somebody: Any
) -> None:
    wrong, unknown = log_in(client, somebody["username"], "wrong"), log_in(client, unique("user"), "wrong")
    problem(wrong, 401, "unauthorized")
    assert wrong.content == unknown.content
    assert wrong.headers["www-authenticate"] == unknown.headers["www-authenticate"] == "Bearer"


@in_process
def test_an_unknown_user_costs_one_verification_like_a_known_one(
    client: httpx2.Client, somebody: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []

    def verify(password_hash: str, password: str) -> bool:
        verified.append(password)
        return PasswordHasher().verify(password_hash, password)

    monkeypatch.setattr(passwords, "_HASHER", SimpleNamespace(verify=verify))
    for username in (somebody["username"], unique("user")):
        problem(log_in(client, username, f"wrong for {username}"), 401, "unauthorized")
        assert verified.pop() == f"wrong for {username}"
    assert verified == []


@in_process
def test_credentials_are_validated(client: httpx2.Client) -> None:
    assert faults(client.post("/api/auth/token", json={"username": ""})) == [
        ("/password", "missing"),
        ("/username", "too_short"),
    ]


@in_process
def test_repeated_failures_are_slowed_even_for_the_right_password(
    client: httpx2.Client, somebody: Any
) -> None:
    for _ in range(5):
        problem(log_in(client, somebody["username"], "wrong"), 401, "unauthorized")
    refused = log_in(client, somebody["username"], "correct horse")
    problem(refused, 429, "too_many_attempts")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert log_in(client, a_user(client)["username"], "correct horse").status_code == 200


@in_process
def test_a_success_forgets_the_failures_before_it(client: httpx2.Client, somebody: Any) -> None:
    for attempt in ["wrong"] * 4 + ["correct horse"] + ["wrong"] * 4:
        log_in(client, somebody["username"], attempt)
    assert log_in(client, somebody["username"], "correct horse").status_code == 200


def test_without_a_cache_logging_in_still_works(
    opened: Opened, new_settings: Callable[[], Settings], running_services: Services, tmp_path: Path
) -> None:
    settings = Settings(new_settings().database_url, f"unix://{tmp_path}/nothing.sock", JWT_SECRET)
    with opened(settings) as client:
        assert log_in(client, "user_003", PASSWORD).status_code == 200
        problem(log_in(client, "user_003", "wrong"), 401, "unauthorized")


@in_process
@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_without_a_token_nothing_else_of_the_request_matters(
    client: httpx2.Client, method: str, path: str
) -> None:
    answer = anonymous(client, method, path, content=b"{", headers={"Content-Type": "text/plain"})
    problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


@in_process
@pytest.mark.parametrize(("method", "path"), ADMINS_ONLY)
def test_what_is_the_admins_is_forbidden_to_others(client: httpx2.Client, method: str, path: str) -> None:
    body = {"is_admin": False} if path == "/api/users/1" and method == "PATCH" else None
    problem(client.request(method, path, json=body, headers=bearer(3)), 403, "forbidden")


@in_process
def test_users_see_and_change_themselves(client: httpx2.Client, somebody: Any) -> None:
    path, own = f"/api/users/{somebody['id']}", bearer(somebody["id"])
    assert client.get(path, headers=own).json() == somebody
    assert client.patch(path, json={"email": f"{unique()}@example.org"}, headers=own).status_code == 200
    assert client.delete(path, headers=own).status_code == 204


@in_process
def test_nobody_makes_themselves_an_admin(client: httpx2.Client, somebody: Any) -> None:
    path = f"/api/users/{somebody['id']}"
    problem(client.patch(path, json={"is_admin": True}, headers=bearer(somebody["id"])), 403, "forbidden")
    registering = anonymous(client, "POST", "/api/users", json=user_fields(is_admin=True))
    problem(registering, 403, "forbidden")
    assert client.post("/api/users", json=user_fields(is_admin=True)).json()["is_admin"]


@in_process
def test_registering_needs_no_token_but_refuses_a_bad_one(client: httpx2.Client) -> None:
    assert anonymous(client, "POST", "/api/users", json=user_fields()).status_code == 201
    refused = client.post("/api/users", json=user_fields(), headers={"Authorization": "Bearer x"})
    problem(refused, 401, "unauthorized")


@in_process
def test_users_order_for_themselves_and_see_their_own_orders(client: httpx2.Client) -> None:
    item, first, second = an_item(client), a_user(client)["id"], a_user(client)["id"]
    order = client.post("/api/orders", json=order_of((item, 1), user_id=first), headers=bearer(first)).json()
    an_order(client, (item, 1), user_id=second)
    listed = client.get("/api/orders", headers=bearer(first)).json()
    assert (listed["items"], listed["total"]) == ([order], 1)
    assert client.get(f"/api/orders?user_id={first}", headers=bearer(first)).json() == listed
    assert client.post(f"/api/orders/{order['id']}/cancel", headers=bearer(first)).status_code == 200


@in_process
def test_the_orders_of_others_are_forbidden(client: httpx2.Client) -> None:
    item, stranger = an_item(client), bearer(a_user(client)["id"])
    order = an_order(client, (item, 1), user_id=2)
    for answer in (
        client.get(f"/api/orders/{order['id']}", headers=stranger),
        client.post(f"/api/orders/{order['id']}/cancel", headers=stranger),
        client.get("/api/orders?user_id=2", headers=stranger),
        client.post("/api/orders", json=order_of((item, 1), user_id=2), headers=stranger),
    ):
        problem(answer, 403, "forbidden")
    assert client.get(f"/api/orders/{order['id']}").json()["status"] == "confirmed"


@in_process
def test_an_idempotency_key_is_its_users_own(client: httpx2.Client) -> None:
    item, key = an_item(client), {"Idempotency-Key": unique("key").replace("_", "-")}
    first, second = (
        client.post("/api/orders", json=order_of((item, 1), user_id=user), headers=bearer(user) | key)
        for user in (a_user(client)["id"], a_user(client)["id"])
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


@in_process
def test_clients_of_the_tests_are_admins(client: httpx2.Client) -> None:
    assert client.headers["Authorization"] == ADMIN["Authorization"]
    assert client.get("/api/users/me").json()["is_admin"]
