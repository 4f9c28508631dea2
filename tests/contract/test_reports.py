"""Reports through the task queue: ordered from either app, made by one real worker, fetched later."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import psycopg
import pytest
import redis

from loadtests.machine.celery_worker import celery_worker
from loadtests.machine.reachable import libpq_url
from shared.ops import tasks
from shared.ops.settings import Settings
from shared.shop import reports
from shared.shop.limits import now
from tests.support.clients import Opened
from tests.support.shop import ADMIN, JWT_SECRET, anonymous, bearer, faults, in_process, problem
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def settings(new_settings: Callable[[], Settings]) -> Settings:
    """One shop for both apps, so that one worker serves both."""
    return new_settings()


@pytest.fixture(scope="module")
def worker(settings: Settings) -> Iterator[int]:
    with celery_worker(
        {
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "JWT_SECRET": settings.jwt_secret,
        }
    ) as pid:
        yield pid


@pytest.fixture(scope="module")
def with_worker(opened: Opened, settings: Settings, worker: int) -> Iterator[httpx2.Client]:
    with opened(settings) as client:
        yield client


def ordered(client: httpx2.Client, kind: str, headers: dict[str, str] = ADMIN) -> str:
    """Where the task of a new report is found."""
    response = client.post("/api/reports", json={"kind": kind}, headers=headers)
    assert response.status_code == 202, response.text
    task = response.json()
    assert list(task.items())[1:] == [("status", "pending")]
    assert response.headers["location"] == f"/api/tasks/{UUID(task['task_id'])}"
    return response.headers["location"]


def finished(client: httpx2.Client, path: str, headers: dict[str, str] = ADMIN) -> Any:
    """What has become of a task when it has come to an end."""

    def ended() -> Any:
        task = client.get(path, headers=headers).json()
        assert list(task) == ["task_id", "status", "result"]
        if task["status"] in {"succeeded", "failed"}:
            return task
        assert task["result"] is None
        return None

    return eventually(ended, f"{path} has come to an end")


def totals(client: httpx2.Client, query: str) -> dict[str, tuple[int, int]]:
    """Orders and cents by status, added up from the pages of orders."""
    sums = {"confirmed": (0, 0), "cancelled": (0, 0)}
    offset, total = 0, 1
    while offset < total:
        page = client.get(f"/api/orders?limit=100&offset={offset}{query}").json()
        for order in page["items"]:
            orders, cents = sums[order["status"]]
            sums[order["status"]] = (orders + 1, cents + order["total_cents"])
        offset, total = offset + 100, page["total"]
    return sums


def test_an_admin_gets_the_sales_to_everybody(with_worker: httpx2.Client) -> None:
    task = finished(with_worker, ordered(with_worker, "sales"))
    assert task["status"] == "succeeded"
    assert list(task["result"]) == ["kind", "by_status"]
    rows = {row["status"]: (row["orders"], row["revenue_cents"]) for row in task["result"]["by_status"]}
    assert rows == totals(with_worker, "")


def test_others_get_the_sales_to_themselves(with_worker: httpx2.Client) -> None:
    headers = bearer(7)
    task = finished(with_worker, ordered(with_worker, "sales", headers), headers)
    rows = {row["status"]: (row["orders"], row["revenue_cents"]) for row in task["result"]["by_status"]}
    assert rows == totals(with_worker, "&user_id=7")


def test_a_report_on_the_stock_counts_and_values_it(with_worker: httpx2.Client) -> None:
    report = finished(with_worker, ordered(with_worker, "stock"))["result"]
    pages = [
        with_worker.get(f"/api/items?limit=100&offset={offset}").json() for offset in range(0, 1000, 100)
    ]
    items = [item for page in pages for item in page["items"]]
    assert report == {
        "kind": "stock",
        "items": len(items),
        "sold_out": sum(item["stock"] == 0 for item in items),
        "low": sum(1 <= item["stock"] <= 9 for item in items),
        "value_cents": sum(item["stock"] * item["price_cents"] for item in items),
    }


def test_a_task_that_fails_says_so_and_leaks_nothing(with_worker: httpx2.Client, settings: Settings) -> None:
    celery = tasks.make_celery(settings)
    task_id = tasks.hand_over(celery, tasks.REPORT, "nonsense", None)
    tasks.disconnect(celery)
    a_task(settings, task_id)
    path = f"/api/tasks/{task_id}"
    assert finished(with_worker, path) == {"task_id": str(task_id), "status": "failed", "result": None}
    assert "nonsense" not in with_worker.get(path).text


def test_a_task_is_forgotten_when_its_outcome_is(with_worker: httpx2.Client, settings: Settings) -> None:
    old = uuid4()
    a_task(settings, old, age=reports.LIFETIME + timedelta(seconds=1))
    problem(with_worker.get(f"/api/tasks/{old}"), 404, "not_found")
    finished(with_worker, ordered(with_worker, "stock"))
    with psycopg.connect(libpq_url(settings.database_url)) as connection:
        assert connection.execute("SELECT id FROM tasks WHERE id = %s", [old]).fetchall() == []


def a_task(settings: Settings, task_id: UUID, age: timedelta = timedelta()) -> None:
    """The row of a task of user 1's."""
    row = (task_id, 1, "sales", now() - age)
    with psycopg.connect(libpq_url(settings.database_url)) as connection:
        connection.execute("INSERT INTO tasks (id, user_id, kind, created_at) VALUES (%s, %s, %s, %s)", row)


def test_a_task_is_for_its_owner_and_for_admins(with_worker: httpx2.Client) -> None:
    path = ordered(with_worker, "stock", bearer(7))
    problem(with_worker.get(path, headers=bearer(8)), 403, "forbidden")
    problem(anonymous(with_worker, "GET", path), 401, "unauthorized")
    assert finished(with_worker, path)["status"] == "succeeded"


@in_process
def test_without_a_worker_a_task_stays_pending(client: httpx2.Client) -> None:
    path = ordered(client, "stock")
    assert client.get(path).json() == {
        "task_id": path.rpartition("/")[2],
        "status": "pending",
        "result": None,
    }


@pytest.mark.parametrize(
    "task_id",
    [
        "4e1e8d58-6f34-4836-9209-5a2d045cdde6",
        "4E1E8D58-6F34-4836-9209-5A2D045CDDE6",
        "4e1e8d586f34483692095a2d045cdde6",
        "{4e1e8d58-6f34-4836-9209-5a2d045cdde6}",
        "1",
    ],
)
@in_process
def test_a_task_that_nobody_handed_over_is_404(client: httpx2.Client, task_id: str) -> None:
    problem(client.get(f"/api/tasks/{task_id}"), 404, "not_found")


@in_process
def test_a_report_needs_a_token_and_a_known_kind(client: httpx2.Client) -> None:
    problem(anonymous(client, "POST", "/api/reports", json={}), 401, "unauthorized")
    wrong: list[tuple[dict[str, Any], tuple[str, str]]] = [
        ({}, ("/kind", "missing")),
        ({"kind": "profit"}, ("/kind", "not_allowed")),
        ({"kind": "sales\0"}, ("/kind", "not_allowed")),
        ({"kind": None}, ("/kind", "wrong_type")),
        ({"kind": ["sales"]}, ("/kind", "wrong_type")),
        ({"kind": "sales", "of": 1}, ("/of", "unknown_field")),
    ]
    for body, fault in wrong:
        assert faults(client.post("/api/reports", json=body)) == [fault]


def test_a_full_queue_takes_no_more(opened: Opened, new_settings: Callable[[], Settings]) -> None:
    crowded = new_settings()
    key = tasks.queue_key(crowded.namespace)
    with redis.Redis.from_url(crowded.redis_url) as cache, opened(crowded) as client:
        cache.rpush(key, *[b""] * reports.QUEUE_MAX)
        response = client.post("/api/reports", json={"kind": "stock"})
        waiting = cache.llen(key)
        cache.delete(key)
    assert "full" in problem(response, 503, "unavailable")["detail"]
    assert waiting == reports.QUEUE_MAX


@pytest.mark.parametrize("cache", ["unix:///nowhere/redis.sock", "redis://127.0.0.1:9"])
def test_without_redis_reports_and_tasks_are_unavailable(
    opened: Opened, cache: str, settings: Settings
) -> None:
    known = uuid4()
    a_task(settings, known)
    with opened(Settings(settings.database_url, cache, JWT_SECRET)) as client:
        refused = client.post("/api/reports", json={"kind": "stock"})
        assert int(refused.headers["retry-after"]) >= 1
        assert "task queue" in problem(refused, 503, "unavailable")["detail"]
        problem(client.get(f"/api/tasks/{known}"), 503, "unavailable")
