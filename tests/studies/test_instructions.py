"""Instructions per request: what drives the apps, what reads callgrind's files, what tells the result."""

import json
from pathlib import Path

import pytest

from loadtests.errors import ServerError, SuiteError
from loadtests.machine.services import Services
from loadtests.studies.instructions import (
    APPS,
    HERE,
    SCENARIOS,
    Count,
    answers,
    batches,
    driver,
    table,
    total,
)
from tests.conftest import NewDatabase

DUMP = """# callgrind format
version: 1
creator: callgrind-3.19.0
part: 2

desc: Trigger: --dump-before=getpgrp

positions: line
events: Ir
summary: 16963762

ob=(1) /usr/lib/x86_64-linux-gnu/libc.so.6
fn=(1) malloc
0 16963762
"""


@pytest.mark.parametrize("app", APPS)
def test_the_driver_asks_an_app_what_was_prepared_and_tells_the_last_answers(
    app: str, running_services: Services, new_database: NewDatabase, tmp_path: Path
) -> None:
    environment = {
        "DATABASE_URL": new_database(),
        "REDIS_URL": running_services.redis_url,
        "MEDIA_DIR": str(tmp_path),
        "SHOP_ENV": "development",
    }
    requests = batches(warm_up=1, length=2)
    with driver(app, HERE, environment, requests) as process:
        _, *told = answers(process)
    by_name = {name: (status, json.loads(body)) for name, (status, body) in zip(SCENARIOS, told, strict=True)}
    assert by_name["ping"] == (200, {"message": "pong"})
    item_id = int(requests[2][-1][0].split()[1].rpartition("/")[2])
    assert by_name["item-read"][1]["id"] == item_id
    assert len(by_name["item-list"][1]["items"]) in range(1, 21)
    order = json.loads(requests[4][-1][0].partition("\r\n\r\n")[2])
    status, stored = by_name["order-create"]
    assert (status, stored["user_id"]) == (201, order["user_id"])
    assert [line["item_id"] for line in stored["lines"]] == [line["item_id"] for line in order["lines"]]
    assert by_name["echo"] == (200, json.loads(requests[5][-1][0].partition("\r\n\r\n")[2]))


def test_an_answer_with_another_status_ends_the_driver(
    running_services: Services, new_database: NewDatabase, capfd: pytest.CaptureFixture[str]
) -> None:
    environment = {
        "DATABASE_URL": new_database(),
        "REDIS_URL": running_services.redis_url,
        "SHOP_ENV": "development",
    }
    wrong = [("GET /api/probe/nothing HTTP/1.1\r\nHost: x\r\n\r\n", 200)]
    with (
        pytest.raises(ServerError, match="could not be driven"),
        driver("flask", HERE, environment, [wrong]),
    ):
        pytest.fail("it took a 404 for a 200")
    assert "GET /api/probe/nothing was answered with 404" in capfd.readouterr().err


def test_the_total_of_a_dump_is_read() -> None:
    assert total(DUMP) == 16_963_762
    with pytest.raises(SuiteError, match="without a total"):
        total("# callgrind format\nversion: 1\n")


def test_the_table_sets_a_checkout_beside_its_base() -> None:
    new, old = Path("/new"), Path("/old")
    counted = {
        ("flask", new, "ping"): Count((99.0, 101.0)),
        ("flask", old, "ping"): Count((200.0, 210.0, 190.0)),
    }
    assert table(counted, new, old).splitlines()[1].split() == [
        "flask",
        "ping",
        "100",
        "200",
        "0.500",
        "10.0%",
    ]
    assert table(counted, new, None).splitlines()[1].split() == ["flask", "ping", "100", "2.0%"]
