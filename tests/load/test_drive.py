"""Rounds of a second or two, driven by a real Locust process against real floors."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import psutil
import pytest

from loadtests.config.contestants import load_contestants
from loadtests.config.scenarios import Scenario, load_scenarios
from loadtests.errors import LoadError, ServerError
from loadtests.load.drive import drive
from loadtests.load.protocol import Assignment, SliceDone, from_json, from_line, to_json, to_line
from loadtests.machine.servers import Endpoint, launched
from loadtests.plan.arrivals import constant_arrivals_ns, poisson_arrivals_ns, surge_ns
from loadtests.plan.rounds import Mode, Round, Slice
from loadtests.plan.search import Search
from loadtests.plan.search_procedure import OngoingSearch
from loadtests.samples.facts import facts_in
from loadtests.samples.outcome import outcome_of
from loadtests.samples.store import REQUESTS, SERVERS, SLICES, Failure, Measurement

CATALOG = Path(__file__).parents[2] / "loadtests" / "catalog"
CONTESTANTS = load_contestants(CATALOG)
PING = load_scenarios(CATALOG)["ping"]
WSGI, ASGI = "raw-wsgi-gthread", "raw-asgi-uvicorn"
ANY_CPU: tuple[int, ...] = ()
RATE_RPS = 400.0
USERS = 4


def piece(
    index: int,
    contestant: str,
    mode: Mode = "closed",
    *,
    block: int = 0,
    duration_s: float = 0.1,
    scenario: Scenario = PING,
) -> Slice:
    rate = RATE_RPS if mode == "open" else None
    return Slice(
        index, block, scenario.name, contestant, mode, duration_s, 0.03, USERS, rate, seed=100 + block
    )


@dataclass(frozen=True)
class Driven:
    """A round that was driven, and what was told meanwhile."""

    measurement: Measurement
    told: list[SliceDone]

    def slices(self, mode: str) -> pl.DataFrame:
        return self.measurement.slices.filter(pl.col("mode") == mode)

    def requests(self, mode: str) -> pl.DataFrame:
        return self.measurement.requests.join(self.slices(mode), on="slice")


def driven(
    slices: Sequence[Slice],
    *,
    searches: Sequence[Search] = (),
    scenarios: Sequence[Scenario] = (PING,),
    timeout_s: float = 5.0,
    deadline_s: float | None = None,
    on_slice: Callable[[SliceDone, dict[str, Endpoint]], None] = lambda *_: None,
    dies: bool = False,
) -> Driven:
    told: list[SliceDone] = []
    round_ = Round(3, tuple(slices), tuple(searches))
    end = pytest.raises(ServerError, match="SIGKILL") if dies else nullcontext()
    with end, launched([CONTESTANTS[name] for name in round_.contestants], {}, ANY_CPU) as endpoints:

        def watch(progress: SliceDone) -> None:
            told.append(progress)
            on_slice(progress, endpoints)

        measurement = drive(
            round_,
            scenarios,
            endpoints,
            cpus=ANY_CPU,
            seed=1,
            on_slice=watch,
            timeout_s=timeout_s,
            deadline_s=deadline_s,
        )
    return Driven(measurement, told)


@pytest.fixture(autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    before = set(psutil.Process().children())
    yield
    assert set(psutil.Process().children()) == before


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
    assert (requests["sent_ns"] <= requests["stop_ns"] + 5_000_000).all()
    assert (requests["end_ns"] <= requests["drained_ns"]).all()


def test_in_open_loop_every_planned_arrival_is_sent_when_due(round_of_both: Driven) -> None:
    planned = poisson_arrivals_ns(RATE_RPS, 0.5, (100, 0))
    requests = round_of_both.requests("open").sort("slice", "due_ns")
    late_ns = requests["sent_ns"] - requests["due_ns"]

    for contestant in (WSGI, ASGI):
        own = requests.filter(pl.col("contestant") == contestant)
        assert (own["due_ns"] - own["start_ns"]).to_list() == planned
    assert (late_ns >= 0).all()
    assert late_ns.quantile(0.5) < 5_000_000  # type: ignore[operator]


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


def test_the_servers_are_described(round_of_both: Driven) -> None:
    servers = {row["contestant"]: row for row in round_of_both.measurement.servers.to_dicts()}

    assert servers[WSGI]["processes"] == 2
    assert servers[ASGI]["processes"] == 1
    assert servers[ASGI]["pss_kib"] > 5_000
    assert servers[ASGI]["start_s"] > 0
    assert "loadtests.reference.bare_asgi:app" in servers[ASGI]["argv"]


def test_progress_is_told_slice_by_slice(round_of_both: Driven) -> None:
    rows = dict(round_of_both.measurement.requests.group_by("slice").len().iter_rows())

    assert [one.slice for one in round_of_both.told] == [0, 1, 2, 3, 4, 5]
    assert {one.slice: one.answered for one in round_of_both.told} == rows
    assert {one.failed for one in round_of_both.told} == {0}


@pytest.fixture(scope="module")
def round_of_searches() -> Driven:
    """One planned slice, then a short search on each server."""
    return driven([piece(0, WSGI)], searches=[search_on(WSGI), search_on(ASGI)])


def search_on(contestant: str) -> Search:
    return Search(
        "ping",
        contestant,
        200.0,
        7,
        users=USERS,
        step_s=0.1,
        step_limit_s=0.7,
        rungs=(0.4, 0.6),
        bisections=1,
    )


def test_searches_take_turns_after_the_planned_slices(round_of_searches: Driven) -> None:
    slices = round_of_searches.measurement.slices.sort("slice")
    turns = slices.filter(pl.col("slice") > 0).group_by("block", maintain_order=True)
    names = {block: sorted(frame["contestant"]) for (block,), frame in turns}

    assert slices["slice"].to_list() == list(range(slices.height))
    assert names[0] == names[1] == sorted((WSGI, ASGI))
    assert [one.slice for one in round_of_searches.told] == slices["slice"].to_list()
    assert slices.filter(pl.col("mode") == "closed")["rate_rps"].is_null().all()
    assert slices.filter(pl.col("mode") != "closed")["rate_rps"].is_not_null().all()


def test_slices_of_searches_keep_what_holds_of_planned_ones(round_of_searches: Driven) -> None:
    measured = round_of_searches.measurement
    rows = measured.requests.group_by("slice").len().sort("slice")["len"].to_list()
    opened = measured.slices.group_by("contestant").agg(pl.col("connections").sum())

    assert measured.slices.schema == pl.Schema(SLICES)
    assert measured.slices["server_requests"].to_list() == measured.slices["client_requests"].to_list()
    assert (measured.slices["client_requests"] - measured.slices["warmup_requests"]).to_list() == rows
    assert set(measured.requests["failure"]) == {Failure.NONE}
    assert dict(opened.iter_rows()) == {WSGI: USERS, ASGI: USERS}
    assert (measured.requests["sent_ns"] >= measured.requests["due_ns"]).all()


def test_a_search_is_replayed_from_its_samples(round_of_searches: Driven) -> None:
    measured = round_of_searches.measurement
    ongoing = OngoingSearch(search_on(ASGI))
    for facts in facts_in(measured.slices.filter(pl.col("contestant") == ASGI)):
        assert ongoing.step is not None
        assert ongoing.step.rate_rps == facts.rate_rps
        ongoing.learn(outcome_of(measured.requests.filter(pl.col("slice") == facts.slice), facts))

    assert ongoing.result is not None


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


def test_a_server_that_dies_gives_failures_and_the_other_goes_on() -> None:
    def kill(progress: SliceDone, endpoints: dict[str, Endpoint]) -> None:
        if progress.slice == 0:
            os.kill(endpoints[ASGI].pid, signal.SIGKILL)

    slices = [piece(0, ASGI, duration_s=0.05), piece(1, WSGI, duration_s=0.3)]
    slices += [piece(2, ASGI), piece(3, ASGI, "open"), piece(4, WSGI)]
    dead = driven(slices, on_slice=kill, dies=True).measurement
    kinds = {index: set(frame["failure"]) for (index,), frame in dead.requests.group_by("slice")}

    assert kinds[0] == kinds[1] == kinds[4] == {Failure.NONE}
    assert kinds[2] == kinds[3] == {Failure.CONNECT}
    assert dead.slices["server_requests"].is_null().to_list() == [False, False, True, True, False]
    assert dead.slices["server_cpu_ns"].is_null().to_list() == [False, False, True, True, False]


def test_a_server_that_hangs_gives_timeouts_and_the_round_ends() -> None:
    def hold(progress: SliceDone, endpoints: dict[str, Endpoint]) -> None:
        if progress.slice in {0, 3}:
            os.kill(endpoints[ASGI].pid, signal.SIGSTOP if progress.slice == 0 else signal.SIGCONT)

    slices = [
        piece(0, ASGI, duration_s=0.05),
        piece(1, WSGI, duration_s=0.3),
        piece(2, ASGI),
        piece(3, ASGI, "open"),
    ]
    hung = driven(slices, on_slice=hold, timeout_s=0.3).measurement
    kinds = {index: set(frame["failure"]) for (index,), frame in hung.requests.group_by("slice")}

    assert kinds[2] == kinds[3] == {Failure.TIMEOUT}
    assert kinds[1] == {Failure.NONE}


def test_a_wrong_status_and_a_wrong_body_are_failures() -> None:
    ping = PING.requests[0]
    wrong_status = replace(PING, name="wrong-status", requests=(replace(ping, status=201),))
    wrong_keys = replace(PING, name="wrong-keys", requests=(replace(ping, keys=("massage",)),))
    slices = [piece(0, ASGI, scenario=wrong_status), piece(1, ASGI, scenario=wrong_keys)]

    requests = driven(slices, scenarios=[wrong_status, wrong_keys]).measurement.requests
    kinds = {index: set(frame["failure"]) for (index,), frame in requests.group_by("slice")}

    assert kinds[0] == {Failure.STATUS}
    assert Failure.BODY in kinds[1]


def test_a_round_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(LoadError, match="not driven within 1 s"):
        driven([piece(0, ASGI, duration_s=60)], deadline_s=1)


def test_who_watches_may_stop_the_round() -> None:
    def refuse(progress: SliceDone, _: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        driven([piece(0, ASGI, duration_s=0.05), piece(1, ASGI, duration_s=60)], on_slice=refuse)


def test_a_load_process_that_fails_is_told_with_its_last_words() -> None:
    stranger = replace(PING, name="stranger")

    with pytest.raises(LoadError, match=r"ended with status 1; it said: .*ping"):
        driven([piece(0, ASGI)], scenarios=[stranger])


def test_an_assignment_survives_the_way_through_json() -> None:
    endpoint = Endpoint("a#2", "127.0.0.1", 80, 1, ("x", "y"), keep_alive=True, start_s=0.5)
    slices = (piece(0, "a#2"), piece(1, "a#2", "open"))
    searches = (Search("ping", "a#2", 50.0, 7, "constant", users=USERS + 1),)
    assignment = Assignment(Round(1, slices, searches), (PING,), (endpoint,), 5, 10.0, "there")

    assert from_json(to_json(assignment)) == assignment
    assert assignment.users == USERS + 1


def test_progress_survives_the_way_through_a_line() -> None:
    progress = SliceDone(3, "ping", "a#2", "open", 10, 1, 400.0)

    assert from_line(to_line(progress)) == progress
    assert from_line("something else\n") is None
