"""Requests that wait: what waiting allows, what came of a slice, and how the tables tell it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from loadtests.config.catalog import Catalog
from loadtests.config.selection import CATALOG
from loadtests.machine.cpus import CpuSets
from loadtests.machine.environment import BackingServices, Environment
from loadtests.machine.services import Services
from loadtests.report.markdown import table_to_markdown
from loadtests.samples.store import Measurement
from loadtests.studies import waiting
from loadtests.studies.waiting_points import Point, Server, Window, pooled
from loadtests.studies.waiting_tables import tables
from tests.support.frames import Piece, samples_of

SERVERS = {one.contestant.name: one for one in waiting.servers()}
SYNC, GTHREAD, ASYNC = (SERVERS[name] for name in ("flask-sync", "flask-gthread", "fastapi-uvicorn"))


@pytest.mark.parametrize(
    ("server", "users", "most_rps", "least_ms"),
    [(SYNC, 8, 20, 400), (GTHREAD, 4, 80, 50), (GTHREAD, 64, 160, 400), (ASYNC, 64, 1280, 50)],
)
def test_waiting_allows_as_many_requests_as_slots_and_users_hold(
    server: Server, users: int, most_rps: float, least_ms: float
) -> None:
    assert server.most_rps(users) == pytest.approx(most_rps)
    assert server.least_ms(users) == pytest.approx(least_ms)


def test_gthread_is_tried_with_64_threads_too_and_with_room_for_all_connections() -> None:
    command = SERVERS["flask-gthread-64t"].contestant.command
    options = dict(pairwise(command))

    assert (options["--threads"], options["--worker-connections"]) == ("64", "2000")
    assert SERVERS["flask-gthread-64t"].slots == 64


def test_users_that_would_wait_too_long_or_have_too_few_files_are_not_tried() -> None:
    assert waiting.why_not(SYNC, 1000, 10_000, 5) == "not tried: each request would wait 50 s"
    assert waiting.why_not(ASYNC, 1000, 1024, 5) == "not tried: only 1024 files may be open"
    assert waiting.why_not(GTHREAD, 1000, 10_000, 5) == ""


def test_a_round_tries_each_server_with_each_number_of_users_once_in_an_order_that_is_drawn() -> None:
    tried = [(server, users) for server in (GTHREAD, ASYNC) for users in (1, 8, 64)]
    orders = {
        tuple((one.contestant, one.concurrency) for one in waiting.round_of(index, tried).slices)
        for index in (0, 1)
    }

    assert {frozenset(order) for order in orders} == {
        frozenset((one.contestant.name, users) for one, users in tried)
    }
    assert len(orders) == 2


def test_only_what_ends_between_settling_and_the_stop_counts() -> None:
    """Two users whose requests take 50 ms each, for 3 s, of which the first third of a second settles."""
    piece = Piece(
        "flask-gthread", scenario="sleep-50ms", users=2, requests=120, service_ms=50.0, cpu_us=400.0
    )
    samples = samples_of(piece)
    measured = Measurement(samples.requests.drop("round"), samples.slices, samples.servers)
    (seen,) = waiting.windows(measured, [GTHREAD])
    settled_ms = 1000 * (waiting.SETTLE_S + waiting.SETTLE_EACH_S * 2) + 50

    assert len(seen.times_ms) == 2 * sum(settled_ms <= 50 * turn <= 3000 for turn in range(1, 61))
    assert seen.rps == pytest.approx(40, rel=0.03)
    assert set(seen.times_ms) == {50.0}
    assert seen.failed == 0
    assert seen.cpu_us == pytest.approx(400.0)


def window(
    rps: float, times_ms: Sequence[float], *, failed: int = 0, generator_percent: float = 20.0
) -> Window:
    return Window("flask-gthread", 64, rps, tuple(times_ms), failed, 500.0, generator_percent)


def test_rounds_are_pooled() -> None:
    found = pooled(GTHREAD, 64, [window(150.0, [400.0] * 300), window(156.0, [410.0] * 300)])

    assert (found.rps, found.lowest_rps, found.highest_rps) == (153.0, 150.0, 156.0)
    assert (found.most_rps, found.least_ms, found.cpu_us) == (160.0, 400.0, 500.0)
    assert found.p50_ms == pytest.approx(405.0)
    assert found.p99_ms == pytest.approx(410.0)


def test_a_p99_needs_five_responses_beyond_it() -> None:
    assert pooled(GTHREAD, 64, [window(150.0, [400.0] * 499)]).p99_ms is None


def test_failures_and_a_busy_load_generator_are_told() -> None:
    found = pooled(GTHREAD, 64, [window(150.0, [400.0] * 10, failed=3, generator_percent=91.0)])

    assert (
        found.note
        == "3 requests failed; the load generator used 91 % of its core, so the server may carry more"
    )


def test_tables_have_a_row_per_number_of_users_and_say_why_a_point_is_missing() -> None:
    points = [
        pooled(SYNC, 8, [replace(window(19.0, [420.0] * 30), server="flask-sync", users=8)]),
        pooled(SYNC, 1000, [], "not tried: each request would wait 50 s"),
        Point("fastapi-uvicorn", 8, 160.0, 50.0, rps=155.0, p50_ms=51.0, cpu_us=600.0),
        Point("fastapi-uvicorn", 1000, 20_000.0, 50.0, rps=1500.0, p50_ms=640.0, p99_ms=900.0),
    ]
    throughput, times, costs = map(table_to_markdown, tables(points, "1024 open files"))

    assert "| **1,000** | — of 20.0 [1] | 1,500 of 20,000 |" in throughput
    assert "1. not tried: each request would wait 50 s" in throughput
    assert "Allowed: 1024 open files" in throughput
    assert "| **1,000** | — / — [1] | 640 / 900 |" in times
    assert "| **8** | 500 | 600 |" in costs


def test_points_are_measured_on_servers_that_run(
    running_services: Services, seeded_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "WINDOW_S", 0.5)
    monkeypatch.setattr(waiting, "ROUNDS", 1)
    backing = BackingServices(
        running_services.database_url,
        running_services.redis_url,
        "http://127.0.0.1:9",
        seeded_database,
        None,
        None,
        0,
    )
    environment = Environment(backing, CpuSets((), (), ()))
    scenario = Catalog(CATALOG).scenarios[waiting.SCENARIO]

    seen = waiting.windows
    warmed: list[int] = []

    def watched(measured: Measurement, known: Sequence[Server]) -> Iterator[Window]:
        warmed.extend(measured.slices["warmup_requests"])
        return seen(measured, known)

    monkeypatch.setattr(waiting, "windows", watched)

    points = waiting.measured(environment, [ASYNC], scenario, files=1000, users=(2, 4, 4000))

    assert [(one.users, one.rps is not None, one.failed) for one in points] == [
        (2, True, 0),
        (4, True, 0),
        (4000, False, 0),
    ]
    assert all(one.rps is None or 0 < one.rps <= one.most_rps * 1.1 for one in points)
    assert set(warmed) == {0}
    assert all(one.p50_ms is None or one.p50_ms >= one.least_ms for one in points)
