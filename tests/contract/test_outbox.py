"""Mails: written with what gives cause for them, sent after the answer."""

from typing import Any

import httpx2

from tests.support.shop import (
    TIMESTAMP,
    a_user,
    anonymous,
    bearer,
    created,
    faults,
    in_process,
    problem,
    unique,
    user_fields,
)
from tests.support.waiting import eventually


def mails_to(client: httpx2.Client, user: Any) -> Any:
    return client.get(f"/api/outbox?user_id={user['id']}").json()["items"]


def sent_to(client: httpx2.Client, user: Any) -> Any:
    """The mails to a user when none of them is pending any more."""

    def none_pending() -> Any:
        mails = mails_to(client, user)
        return None if any(mail["status"] == "pending" for mail in mails) else [mails]

    return eventually(none_pending, "no mail is pending")[0]


@in_process
def test_who_registers_is_greeted_by_one_mail_that_is_sent_after_the_answer(client: httpx2.Client) -> None:
    user = created(anonymous(client, "POST", "/api/users", json=user_fields()))
    [mail] = sent_to(client, user)
    assert list(mail) == [
        *("id", "user_id", "kind", "recipient", "subject", "status", "created_at", "sent_at"),
    ]
    assert (mail["user_id"], mail["kind"], mail["recipient"]) == (user["id"], "welcome", user["email"])
    assert (mail["status"], mail["created_at"]) == ("sent", user["created_at"])
    assert TIMESTAMP.fullmatch(mail["sent_at"])
    assert mail["sent_at"] > mail["created_at"]


@in_process
def test_who_is_refused_gets_no_mail(client: httpx2.Client) -> None:
    user = a_user(client)
    before = client.get("/api/outbox").json()["total"]
    refused = client.post("/api/users", json=user_fields(email=user["email"], username=unique("other")))
    problem(refused, 409, "taken")
    assert client.get("/api/outbox").json()["total"] == before


@in_process
def test_mails_go_with_their_user(client: httpx2.Client) -> None:
    user = a_user(client)
    assert client.delete(f"/api/users/{user['id']}").status_code == 204
    assert mails_to(client, user) == []


@in_process
def test_the_outbox_is_listed_in_pages(client: httpx2.Client) -> None:
    newest = [a_user(client) for _ in range(2)]
    whole = client.get("/api/outbox?limit=1").json()
    assert list(whole) == ["items", "total", "limit", "offset"]
    last = client.get(f"/api/outbox?limit=2&offset={whole['total'] - 2}").json()["items"]
    assert [mail["user_id"] for mail in last] == [user["id"] for user in newest]


@in_process
def test_only_admins_look_into_the_outbox(client: httpx2.Client) -> None:
    problem(anonymous(client, "GET", "/api/outbox"), 401, "unauthorized")
    problem(client.get("/api/outbox", headers=bearer(2)), 403, "forbidden")
    assert faults(client.get("/api/outbox?user_id=0")) == [("?user_id", "too_small")]
