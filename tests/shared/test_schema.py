"""A database of one's own: its tables, and its first admin."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from loadtests.machine.databases import database_copy
from loadtests.machine.services import Services
from shared.ops.settings import Settings
from tests.support.clients import Opened
from tests.support.shop import JWT_SECRET, anonymous

ALICE = {"username": "alice", "email": "alice@example.com", "password": "correct horse"}


def prepare(url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "shared.schema", *arguments],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def empty_database(running_services: Services) -> Iterator[str]:
    with database_copy(running_services.database_url, "template1") as url:
        yield url


def test_an_empty_database_becomes_a_shop_with_an_admin(
    opened: Opened, empty_database: str, running_services: Services
) -> None:
    made = [prepare(empty_database).returncode for _ in range(2)]
    with opened(Settings(empty_database, running_services.redis_url, JWT_SECRET)) as shop:
        registered = anonymous(shop, "POST", "/api/users", json=ALICE)
        appointed = prepare(empty_database, "--admin", "alice")
        token = anonymous(
            shop, "POST", "/api/auth/token", json={key: ALICE[key] for key in ("username", "password")}
        )
        bearer = {"Authorization": f"Bearer {token.json()['access_token']}"}
        item = shop.post("/api/items", json={"name": "a", "price_cents": 1}, headers=bearer)

    assert made == [0, 0]
    assert (registered.status_code, registered.json()["is_admin"]) == (201, False)
    assert appointed.returncode == 0, appointed.stderr
    assert item.status_code == 201


@pytest.mark.parametrize(
    ("url", "told"),
    [("", "must start with postgresql://"), ("postgresql://127.0.0.1:1/shop", "DATABASE_URL can't be used")],
)
def test_a_database_that_cannot_be_used_is_one_line(url: str, told: str) -> None:
    ended = prepare(url)

    assert ended.returncode == 1
    assert told in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_user_who_is_not_registered_cannot_be_made_an_admin(empty_database: str) -> None:
    ended = prepare(empty_database, "--admin", "nobody")

    assert ended.returncode == 1
    assert ended.stderr == "there is no user 'nobody': register first (POST /api/users)\n"
