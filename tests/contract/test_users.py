"""Users: who orders."""

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
    problem,
    unique,
    user_fields,
)

KEYS = ["id", "username", "email", "is_admin", "created_at"]
BROKEN_FIELDS: list[tuple[str, Any, str]] = [
    ("username", "ab", "bad_format"),
    ("username", "a" * 31, "bad_format"),
    ("username", "Upper", "bad_format"),
    ("username", "with-dash", "bad_format"),
    ("username", "line\n", "bad_format"),
    ("username", "ümlaut", "bad_format"),
    ("username", "nul\0", "bad_format"),
    ("username", None, "wrong_type"),
    ("email", "a@b", "bad_format"),
    ("email", "a b@c.de", "bad_format"),
    ("email", "a@@b.cd", "bad_format"),
    ("email", "@b.cd", "bad_format"),
    ("email", "a@b.cd\n", "bad_format"),
    ("email", "a\u00a0b@c.de", "bad_format"),
    ("email", "a\x1fb@c.de", "bad_format"),
    ("email", f"a@{'b' * 250}.cd", "too_long"),
    ("email", 5, "wrong_type"),
    ("password", "1234567", "too_short"),
    ("password", "x" * 129, "too_long"),
    ("password", "12345678\0", "bad_format"),
    ("password", None, "wrong_type"),
    ("is_admin", "true", "wrong_type"),
    ("is_admin", 1, "wrong_type"),
    ("is_admin", None, "wrong_type"),
    ("id", 1, "unknown_field"),
    ("password_hash", "x", "unknown_field"),
]


def test_a_new_user_never_shows_the_password(client: httpx2.Client) -> None:
    fields = user_fields()
    response = client.post("/api/users", json=fields)
    user = created(response)
    assert list(user) == KEYS
    assert (user["username"], user["email"], user["is_admin"]) == (fields["username"], fields["email"], False)
    assert TIMESTAMP.fullmatch(user["created_at"])
    assert response.headers["location"] == f"/api/users/{user['id']}"
    assert client.get(response.headers["location"]).json() == user


def test_required_fields_of_a_user_are_named(client: httpx2.Client) -> None:
    expected = [("/email", "missing"), ("/password", "missing"), ("/username", "missing")]
    assert faults(client.post("/api/users", json={})) == expected


@in_process
@pytest.mark.parametrize(("name", "value", "code"), BROKEN_FIELDS)
@pytest.mark.parametrize(("method", "path"), [("POST", "/api/users"), ("PATCH", "/api/users/3")])
def test_a_broken_field_is_named(
    client: httpx2.Client, method: str, path: str, name: str, value: Any, code: str
) -> None:
    response = client.request(method, path, json=user_fields(**{name: value}))
    assert faults(response) == [(f"/{name}", code)]


def test_an_email_is_kept_as_given(client: httpx2.Client) -> None:
    email = f"{unique('Mixed')}@Example.ORG"
    assert a_user(client, email=email)["email"] == email


@pytest.mark.parametrize("size", [8, 128])
def test_passwords_at_the_bounds_are_accepted(client: httpx2.Client, size: int) -> None:
    a_user(client, password="é" * size)


def test_a_taken_username_is_refused(client: httpx2.Client) -> None:
    user = a_user(client)
    problem(client.post("/api/users", json=user_fields(username=user["username"])), 409, "taken")


@pytest.mark.parametrize("change", [str.upper, str.swapcase, str])
def test_a_taken_email_is_refused_whatever_its_case(client: httpx2.Client, change: Any) -> None:
    user = a_user(client, email=f"{unique('Élise')}@example.com")
    problem(client.post("/api/users", json=user_fields(email=change(user["email"]))), 409, "taken")


def test_of_concurrent_users_with_one_email_one_is_created(client: httpx2.Client) -> None:
    name = unique()
    bodies = [user_fields(email=f"{letter}{name}@example.com") for letter in "aAaAaAaA"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: client.post("/api/users", json=body), bodies))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


def test_patch_changes_what_it_names(client: httpx2.Client) -> None:
    user = a_user(client)
    changed = client.patch(f"/api/users/{user['id']}", json={"is_admin": True}).json()
    assert changed == user | {"is_admin": True}


def test_a_user_may_keep_the_email_in_another_case(client: httpx2.Client) -> None:
    user = a_user(client)
    changed = client.patch(f"/api/users/{user['id']}", json={"email": user["email"].upper()})
    assert changed.json()["email"] == user["email"].upper()


def test_a_new_password_changes_nothing_that_shows(client: httpx2.Client) -> None:
    user = a_user(client)
    assert client.patch(f"/api/users/{user['id']}", json={"password": "another one"}).json() == user


def test_a_change_to_a_taken_name_is_refused(client: httpx2.Client) -> None:
    first, second = a_user(client), a_user(client)
    refused = client.patch(f"/api/users/{second['id']}", json={"username": first["username"]})
    problem(refused, 409, "taken")
    assert client.get(f"/api/users/{second['id']}").json() == second


def test_an_empty_patch_misses_a_field(client: httpx2.Client) -> None:
    assert faults(client.patch("/api/users/3", json={})) == [("", "missing")]


def test_a_user_without_orders_is_deleted(client: httpx2.Client) -> None:
    path = f"/api/users/{a_user(client)['id']}"
    assert client.delete(path).status_code == 204
    problem(client.get(path), 404, "not_found")


def test_a_user_with_orders_is_in_use(client: httpx2.Client) -> None:
    user = a_user(client)
    an_order(client, (an_item(client), 1), user_id=user["id"])
    problem(client.delete(f"/api/users/{user['id']}"), 409, "in_use")


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_user_that_does_not_exist_is_404(client: httpx2.Client, method: str) -> None:
    body = {"is_admin": True} if method == "PATCH" else None
    problem(client.request(method, "/api/users/999999999", json=body), 404, "not_found")
