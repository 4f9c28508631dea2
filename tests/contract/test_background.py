"""Mails outlive the server that owes them: it may be killed, or be asked to stop."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from threading import Timer

import httpx2
import psycopg
import pytest

from loadtests.config.contestants import load_contestants
from loadtests.errors import ServerError
from loadtests.machine.reachable import libpq_url
from loadtests.machine.servers import Endpoint, launched
from loadtests.machine.services import Services
from tests.conftest import CATALOG
from tests.support.shop import JWT_SECRET, created, user_fields
from tests.support.waiting import eventually

SERVERS = ("flask-gthread", "fastapi-uvicorn", "flask-gevent")
USERS = 3
# What happens in the database when a mail is sent. `posted` has a line for every time, and there is a gate to pass.
SENDING = """
CREATE OR REPLACE FUNCTION sending() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} RETURN NEW; END $$;
CREATE OR REPLACE TRIGGER sending BEFORE UPDATE ON outbox FOR EACH ROW EXECUTE FUNCTION sending();
CREATE TABLE IF NOT EXISTS posted (mail_id bigint)
"""
REFUSED = SENDING.format("RAISE EXCEPTION 'no mail leaves';")
POSTED = SENDING.format("PERFORM pg_advisory_xact_lock_shared(1); INSERT INTO posted VALUES (NEW.id);")
SHUT_THE_GATE, OPEN_THE_GATE = b"SELECT pg_advisory_lock(1)", b"SELECT pg_advisory_unlock(1)"

Serving = AbstractContextManager[dict[str, Endpoint]]
Mails = dict[str, tuple[int, int, int]]


class Shop:
    """A server's database, seen past the server."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = psycopg.connect(libpq_url(url), autocommit=True)

    def sending(self, how: str) -> None:
        self.connection.execute(how.encode())

    def mails(self) -> tuple[int, int, int]:
        """How many are pending, how many were sent, and how often one was posted."""
        mails = b"SELECT count(*) FILTER (WHERE sent_at IS NULL), count(sent_at) FROM outbox"
        ((pending, sent),) = self.connection.execute(mails).fetchall()
        ((posted,),) = self.connection.execute(b"SELECT count(*) FROM posted").fetchall()
        return pending, sent, posted


@pytest.fixture
def shops(new_database: Callable[[], str]) -> Iterator[dict[str, Shop]]:
    with ExitStack() as opened:
        found = {name: Shop(new_database()) for name in SERVERS}
        for shop in found.values():
            opened.enter_context(shop.connection)
        yield found


@pytest.fixture
def serving(running_services: Services, shops: dict[str, Shop]) -> Callable[[], Serving]:
    """Starts the servers, all at once."""
    known = load_contestants(CATALOG)

    environments = {
        name: {"DATABASE_URL": shop.url, "REDIS_URL": running_services.redis_url, "JWT_SECRET": JWT_SECRET}
        for name, shop in shops.items()
    }
    return lambda: launched([known[name] for name in SERVERS], environments, cpus=())


def register(endpoint: Endpoint) -> None:
    with httpx2.Client(base_url=f"http://{endpoint.host}:{endpoint.port}", timeout=30) as client:
        for _ in range(USERS):
            created(client.post("/api/users", json=user_fields()))


def register_and_kill(endpoints: dict[str, Endpoint]) -> None:
    for endpoint in endpoints.values():
        register(endpoint)
        os.killpg(endpoint.pid, signal.SIGKILL)


def mails_of(shops: dict[str, Shop]) -> Mails:
    return {name: shop.mails() for name, shop in shops.items()}


def settled(shops: dict[str, Shop]) -> Mails:
    """The mails of every shop, when none is pending any more."""
    eventually(lambda: not any(shop.mails()[0] for shop in shops.values()), "no mail is pending")
    return mails_of(shops)


def everywhere(pending: int, sent: int, posted: int) -> Mails:
    return dict.fromkeys(SERVERS, (pending, sent, posted))


def test_mails_outlive_a_server_that_is_killed_and_one_that_is_asked_to_stop(
    serving: Callable[[], Serving], shops: dict[str, Shop]
) -> None:
    for shop in shops.values():
        shop.sending(REFUSED)
    with pytest.raises(ServerError), serving() as endpoints:
        register_and_kill(endpoints)
    assert mails_of(shops) == everywhere(USERS, 0, 0)

    for shop in shops.values():
        shop.sending(POSTED)
    with serving() as endpoints:
        assert settled(shops) == everywhere(0, USERS, USERS)  # what was owed when they started
        for shop in shops.values():
            shop.connection.execute(SHUT_THE_GATE)
        for endpoint in endpoints.values():
            register(endpoint)
        assert mails_of(shops) == everywhere(USERS, USERS, USERS)
        # The gate is opened when SIGTERM, which leaving this block sends, has reached them.
        opening = Timer(0.2, lambda: [shop.connection.execute(OPEN_THE_GATE) for shop in shops.values()])
        opening.start()
    opening.join()
    assert mails_of(shops) == everywhere(0, 2 * USERS, 2 * USERS)
