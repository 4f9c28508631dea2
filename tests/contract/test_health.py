"""Alive, ready, and what it is; and what happens when database or cache are gone."""

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from loadtests.machine.services import Services
from shared.ops.settings import Settings
from tests.support.clients import Opened
from tests.support.shop import JWT_SECRET, order_of, problem, user_fields

STORED = [
    ("GET", "/api/items", None),
    ("GET", "/api/items/1", None),
    ("POST", "/api/items", {"name": "x", "price_cents": 1}),
    ("PATCH", "/api/items/1", {"stock": 1}),
    ("DELETE", "/api/items/1", None),
    ("GET", "/api/users", None),
    ("POST", "/api/users", user_fields()),
    ("GET", "/api/orders/1", None),
    ("POST", "/api/orders", order_of(({"id": 1}, 1))),
    ("POST", "/api/orders/1/cancel", None),
    ("GET", "/readyz", None),
]


@pytest.fixture
def without_database(opened: Opened, running_services: Services, tmp_path: Path) -> Iterator[httpx2.Client]:
    nowhere = f"postgresql://postgres@/postgres?host={tmp_path}"
    with opened(Settings(nowhere, running_services.redis_url, JWT_SECRET)) as client:
        yield client


@pytest.fixture
def without_cache(opened: Opened, running_services: Services, tmp_path: Path) -> Iterator[httpx2.Client]:
    with opened(
        Settings(running_services.database_url, f"unix://{tmp_path}/nothing.sock", JWT_SECRET)
    ) as client:
        yield client


def test_a_living_process_says_so(client: httpx2.Client) -> None:
    assert client.get("/healthz").content == b'{"status":"ok"}'


def test_a_ready_process_reaches_database_and_cache(client: httpx2.Client) -> None:
    assert client.get("/readyz").content == b'{"status":"ok","database":"ok","cache":"ok"}'


def test_version_tells_framework_server_and_versions(client: httpx2.Client) -> None:
    version = client.get("/version").json()
    assert list(version) == ["framework", "server", "versions"]
    assert version["framework"] in {"flask", "fastapi"}
    assert version["server"] in {"in-process", "flask-gthread", "fastapi-uvicorn"}
    assert version["versions"][version["framework"]]


@pytest.mark.parametrize(("method", "path", "body"), STORED)
def test_without_a_database_every_stored_thing_is_unavailable(
    without_database: httpx2.Client, method: str, path: str, body: object
) -> None:
    response = without_database.request(method, path, json=body)
    problem(response, 503, "unavailable")
    assert int(response.headers["retry-after"]) >= 1
    assert response.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/healthz", "/version", "/api/probe/ping", "/openapi.json", "/docs"])
def test_without_a_database_the_rest_still_answers(without_database: httpx2.Client, path: str) -> None:
    assert without_database.get(path).status_code == 200


def test_without_a_database_a_broken_request_is_still_refused_as_such(
    without_database: httpx2.Client,
) -> None:
    problem(without_database.post("/api/items", json={}), 422, "invalid")


def test_a_database_that_accepts_but_never_answers_is_unavailable(
    opened: Opened, running_services: Services, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / ".s.PGSQL.5432"))
        mute.listen()
        silent = Settings(
            f"postgresql://postgres@/postgres?host={tmp_path}",
            running_services.redis_url,
            JWT_SECRET,
            connect_timeout_s=2,
        )
        with opened(silent) as client:
            problem(client.get("/api/items/1"), 503, "unavailable")


def test_without_a_cache_the_app_is_not_ready(without_cache: httpx2.Client) -> None:
    response = without_cache.get("/readyz")
    assert "cache" in problem(response, 503, "unavailable")["detail"]
    assert int(response.headers["retry-after"]) >= 1
