"""The decisions behind reports and late orders, the queue's address, and the worker's launcher."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import redis

from loadtests.errors import ServerError
from loadtests.machine.celery_worker import WORKER, celery_worker
from loadtests.machine.services import Services
from shared.ops import telemetry
from shared.ops.settings import Settings, settings_from
from shared.ops.tasks import REPORT, celery_url, disconnect, hand_over, make_celery, outcome_key
from shared.shop import late_orders, reports
from shared.shop.callers import Caller
from shared.shop.errors import Forbidden, NotFound, OutOfStock, Unavailable
from shared.shop.limits import now
from shared.shop.tables import Item
from tests.support.waiting import eventually

TASK_ID = uuid4()


@pytest.mark.parametrize(
    ("redis_url", "url"),
    [
        ("redis://:pw@host:1/2", "redis://:pw@host:1/2"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock?virtual_host=0"),
        ("unix://u:pw@/run/redis.sock?db=3", "redis+socket://u:pw@/run/redis.sock?virtual_host=3"),
    ],
)
def test_celery_gets_the_address_that_redis_gets_in_its_own_words(redis_url: str, url: str) -> None:
    assert celery_url(redis_url) == url


@pytest.mark.parametrize(
    ("stored", "status", "result"),
    [
        (None, "pending", None),
        (b'{"status":"STARTED","result":{"pid":1}}', "started", None),
        (b'{"status":"SUCCESS","result":{"items":1}}', "succeeded", {"items": 1}),
        (b'{"status":"FAILURE","result":{"exc_type":"KeyError"},"traceback":"secret"}', "failed", None),
        (b'{"status":"REVOKED","result":null}', "failed", None),
    ],
)
def test_what_a_worker_stored_says_how_far_the_task_is(
    stored: bytes | None, status: str, result: dict[str, int] | None
) -> None:
    assert reports.outcome(TASK_ID, stored) == reports.Outcome(TASK_ID, status, result)


def test_a_task_is_known_to_its_owner_for_as_long_as_its_outcome_is_kept() -> None:
    at, owner = now(), Caller(7, is_admin=False)
    task = reports.new_task(TASK_ID, 7, "sales", at)
    assert reports.known(task, owner, at + reports.LIFETIME) is task
    with pytest.raises(NotFound):
        reports.known(task, owner, at + reports.LIFETIME + timedelta(microseconds=1))
    with pytest.raises(Forbidden):
        reports.known(task, Caller(8, is_admin=False), at)


def test_a_status_without_orders_counts_nothing() -> None:
    rows = reports.sales([("cancelled", 2, 300)])["by_status"]
    assert rows == [
        {"status": "confirmed", "orders": 0, "revenue_cents": 0},
        {"status": "cancelled", "orders": 2, "revenue_cents": 300},
    ]


def test_the_queue_has_a_last_place() -> None:
    reports.room_for_one([True, reports.QUEUE_MAX - 1])
    with pytest.raises(Unavailable):
        reports.room_for_one([True, reports.QUEUE_MAX])


def test_of_what_was_promised_what_is_missing_is_oversold() -> None:
    item, tally = Item(id=1, stock=3), late_orders.nothing(1)
    for quantity in (2, 2, 1):
        late_orders.take(item, tally, quantity)
    assert (item.stock, tally.taken, tally.oversold) == (0, 3, 2)


def test_a_promise_takes_nothing() -> None:
    item = Item(id=1, stock=3)
    late_orders.promise(item, 3)
    with pytest.raises(OutOfStock):
        late_orders.promise(item, 4)
    assert item.stock == 3


def test_a_worker_that_cannot_work_is_told_with_its_last_words(running_services: Services) -> None:
    broken = {
        "DATABASE_URL": "mysql://nowhere/shop",
        "REDIS_URL": running_services.redis_url,
        "SHOP_ENV": "development",
    }
    with (
        pytest.raises(ServerError, match=r"the worker ended with status .*DATABASE_URL"),
        celery_worker(broken),
    ):
        pass


def test_a_task_that_fails_is_logged_under_the_request_that_handed_it_over(
    running_services: Services, tmp_path: Path
) -> None:
    environment = {
        "DATABASE_URL": running_services.database_url,
        "REDIS_URL": running_services.redis_url,
        "SHOP_ENV": "development",
    }
    settings, said = settings_from(environment), tmp_path / "stderr"
    celery = make_celery(settings)
    with (
        said.open("wb") as log,
        subprocess.Popen(
            [sys.executable, *WORKER], env={**os.environ, **environment}, stdout=log, stderr=log
        ) as worker,
    ):
        try:
            telemetry.request_id.set("mine")
            task_id = hand_over(celery, REPORT, "no such kind", None)
            await_outcome(settings, task_id, "FAILURE")
        finally:
            worker.terminate()
            disconnect(celery)
    lines = [json.loads(line) for line in said.read_text().splitlines() if line.startswith("{")]
    [failed] = [line for line in lines if line["level"] == "ERROR"]

    assert failed["request_id"] == "mine"
    assert str(task_id) in failed["message"]
    assert failed["exception"].startswith("Traceback")
    assert "data" not in failed


def await_outcome(settings: Settings, task_id: UUID, status: str) -> None:
    key = outcome_key(settings.namespace, task_id)
    with redis.Redis.from_url(settings.redis_url) as client:
        eventually(lambda: status in str(client.get(key)), f"the task has {status}")
