"""What a driven round tells: requests, slices, servers, progress."""

import os
from dataclasses import replace

import polars as pl
import pytest

from loadtests.machine.meters import Metered
from loadtests.plan.arrivals import constant_arrivals_ns, poisson_arrivals_ns, surge_ns
from loadtests.samples.store import REQUESTS, SERVERS, SLICES, Failure
from tests.support.driving import ASGI, RATE_RPS, USERS, WSGI, Driven, driven, piece


@pytest.fixture(scope="module")
def round_of_both() -> Driven:
    return driven(
        [
            piece(0, WSGI),
            piece(1, ASGI),
            piece(2, ASGI, block=1),
            piece(3, WSGI, block=1),
            piece(4, WSGI, "open", duration_s=0.5),
            piece(5, ASGI, "open", duration_s=0.5),
        ]
    )


def test_the_frames_have_their_schemas(round_of_both: Driven) -> None:
    measured = round_of_both.measurement

    assert measured.requests.schema == pl.Schema(REQUESTS)
    assert measured.slices.schema == pl.Schema(SLICES)
    assert measured.servers.schema == pl.Schema(SERVERS)
    assert measured.slices["slice"].to_list() == [0, 1, 2, 3, 4, 5]
    assert set(measured.slices["round"]) == {3}


def test_server_and_client_count_the_same_requests(round_of_both: Driven) -> None:
    slices = round_of_both.measurement.slices
    rows = round_of_both.measurement.requests.group_by("slice").len().sort("slice")["len"].to_list()

    assert slices["server_requests"].to_list() == slices["client_requests"].to_list()
    assert (slices["client_requests"] - slices["warmup_requests"]).to_list() == rows
    assert min(rows) > 0


def test_every_request_is_answered_as_wanted(round_of_both: Driven) -> None:
    requests = round_of_both.measurement.requests

    assert set(requests["status"]) == {200}
    assert set(requests["failure"]) == {Failure.NONE}
    assert set(requests["body_bytes"]) == {len('{"message":"pong"}')}
    assert (requests["sent_ns"] < requests["end_ns"]).all()
    assert (requests["bytes"] > requests["body_bytes"]).all()


def test_in_closed_loop_requests_are_due_when_sent_and_none_begins_after_the_stop(
    round_of_both: Driven,
) -> None:
    requests = round_of_both.requests("closed")

    assert (requests["due_ns"] == requests["sent_ns"]).all()
    assert (requests["sent_ns"] >= requests["start_ns"]).all()
    late = requests.filter(pl.col("sent_ns") > pl.col("stop_ns")).group_by("slice").len()
    assert (late["len"] <= USERS).all()  # a user looks at the clock, and then sends
    assert (requests["end_ns"] <= requests["drained_ns"]).all()


def test_in_open_loop_every_planned_arrival_is_sent_when_due(round_of_both: Driven) -> None:
    planned = poisson_arrivals_ns(RATE_RPS, 0.5, (100, 0))
    requests = round_of_both.requests("open").sort("slice", "due_ns")

    for contestant in (WSGI, ASGI):
        own = requests.filter(pl.col("contestant") == contestant)
        assert (own["due_ns"] - own["start_ns"]).to_list() == planned
        assert own["sent_ns"].min() < own["due_ns"].max()  # type: ignore[operator]  # not all of them at the end
    assert (requests["sent_ns"] >= requests["due_ns"]).all()


def test_connections_are_opened_once_and_kept(round_of_both: Driven) -> None:
    opened = round_of_both.measurement.slices.sort("slice").group_by("contestant", maintain_order=True)

    assert {name: frame["connections"].to_list() for (name,), frame in opened} == {
        WSGI: [USERS, 0, 0],
        ASGI: [USERS, 0, 0],
    }


def test_the_meters_span_the_measured_part(round_of_both: Driven) -> None:
    slices = round_of_both.measurement.slices
    span_ns = slices["drained_ns"] - slices["start_ns"]

    assert (slices["server_cpu_ns"] > 0).all()
    assert (slices["generator_cpu_ns"] > 0).all()
    assert (slices["generator_cpu_ns"] < span_ns * 1.5).all()
    assert (slices["steal_ms"] >= 0).all()
    assert (slices["drained_ns"] > slices["start_ns"]).all()


def test_services_and_cpus_are_metered_where_that_is_asked_for(round_of_both: Driven) -> None:
    cpus = tuple(os.sched_getaffinity(0))
    metered = Metered(database_pid=os.getpid(), server_cpus=cpus, load_cpus=cpus)

    slices = driven([piece(0, ASGI)], metered=metered).measurement.slices
    unmetered = round_of_both.measurement.slices

    assert (slices["database_cpu_ns"] > 0).all()
    assert slices["redis_cpu_ns"].is_null().all()
    assert (slices["load_cpus_busy_ns"] > slices["generator_cpu_ns"] / 2).all()
    assert (slices["load_cpus_busy_ns"] - slices["server_cpus_busy_ns"] == 0).all()
    assert unmetered["database_cpu_ns"].is_null().all()
    assert unmetered["load_cpus_busy_ns"].is_null().all()


def test_the_servers_are_described(round_of_both: Driven) -> None:
    servers = {row["contestant"]: row for row in round_of_both.measurement.servers.to_dicts()}

    assert servers[WSGI]["processes"] == 2
    assert servers[ASGI]["processes"] == 1
    assert (
        servers[ASGI]["pss_kib"] > servers[ASGI]["private_kib"] > 1024
    )  # an interpreter takes more than a MiB
    assert servers[ASGI]["start_s"] > 0
    assert "loadtests.reference.bare_asgi:app" in servers[ASGI]["argv"]


def test_progress_is_told_slice_by_slice(round_of_both: Driven) -> None:
    rows = dict(round_of_both.measurement.requests.group_by("slice").len().iter_rows())

    assert [one.slice for one in round_of_both.told] == [0, 1, 2, 3, 4, 5]
    assert {one.slice: one.answered for one in round_of_both.told} == rows
    assert {one.failed for one in round_of_both.told} == {0}


def test_arrivals_may_be_constant_and_a_surge_has_its_relief() -> None:
    even = replace(piece(0, ASGI, "open", duration_s=0.2), arrivals="constant")
    surge = replace(even, index=1, mode="surge", relief_rps=100.0, relief_s=0.3)
    measured = driven([even, surge]).measurement
    joined = measured.requests.join(measured.slices, on="slice").with_columns(
        at_ns=pl.col("due_ns") - pl.col("start_ns")
    )
    due = {index: frame["at_ns"].sort().to_list() for (index,), frame in joined.group_by("slice")}

    assert due[0] == constant_arrivals_ns(RATE_RPS, 0.2, (100, 0))
    assert due[1] == surge_ns("constant", (RATE_RPS, 100.0), (0.2, 0.3), (100, 0))
    assert (measured.slices["stop_ns"] - measured.slices["start_ns"]).to_list() == [200_000_000, 500_000_000]
