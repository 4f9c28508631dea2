"""The searches of one round, replayed step by step from its samples. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import polars as pl

from loadtests.capacity.curves import Rung, knee_rps, rungs
from loadtests.capacity.overload import Overload, overload_of
from loadtests.plan.search import Cause, Search, SearchResult, Step, surge_s
from loadtests.plan.search_procedure import OngoingSearch
from loadtests.samples.facts import facts_in
from loadtests.samples.outcome import Outcome, outcome_of
from loadtests.samples.store import Samples

BROKEN_OFF = SearchResult(None, None, "the search was interrupted", "broken off")


@dataclass(frozen=True, slots=True)
class Replay:
    """One search in one round. capacity_rps None: not measured; `cause` says of which kind that is, and `reason` why.

    passing_rps, failing_rps, failure: see SearchResult.
    count_difference: between the server's count of requests and the client's, over the steps that met the SLO.
    surge: the requests of the surge, reduced to `at_ms` after its start and `time_ms` (null where it failed).
    """

    round: int
    search: Search
    capacity_rps: float | None
    failing_rps: float | None
    reason: str
    knee_rps: float | None
    ladder: tuple[Rung, ...]
    overload: Overload | None
    trail: tuple[tuple[Step, Outcome], ...]
    count_difference: int
    stolen_ms: float
    load_ms: float
    surge: pl.DataFrame
    cause: Cause | None = None
    passing_rps: float | None = None
    failure: Outcome | None = None


def replays(samples: Samples, searches: Iterable[Search]) -> list[Replay]:
    """What each search found; samples: of a single round. A search that is not in them is left out."""
    requests = samples.requests.partition_by("slice", as_dict=True)
    by_pair = samples.slices.partition_by("scenario", "contestant", as_dict=True)
    return [
        _replay(search, by_pair[search.scenario, search.contestant], requests, samples.requests.clear())
        for search in searches
        if (search.scenario, search.contestant) in by_pair
    ]


def _replay(
    search: Search, slices: pl.DataFrame, by_slice: dict[tuple[object, ...], pl.DataFrame], none: pl.DataFrame
) -> Replay:
    """by_slice: the requests of each slice; `none`: the frame of a slice without any."""
    ongoing, count_difference, overload, surge = OngoingSearch(search), 0, None, _surge(none, 0)
    for facts in facts_in(slices):
        requests, step = by_slice.get((facts.slice,), none), ongoing.step
        outcome = outcome_of(requests, facts)
        ongoing.learn(outcome)
        if search.is_met(outcome) and facts.server_requests is not None:
            count_difference += abs(facts.server_requests - facts.client_requests)
        if step is not None and step.role == "surge":
            overload = overload_of(requests, facts.start_ns, surge_s(search), search.slo_ms)
            surge = _surge(requests, facts.start_ns)
    return _replayed(ongoing, int(slices["round"][0]), slices, count_difference, overload, surge)


def _replayed(
    ongoing: OngoingSearch,
    number: int,
    slices: pl.DataFrame,
    count_difference: int,
    overload: Overload | None,
    surge: pl.DataFrame,
) -> Replay:
    result, ladder = ongoing.result or BROKEN_OFF, rungs(ongoing.trail, ongoing.search.rule)
    if count_difference:
        text = f"client and server disagree by {count_difference} requests"
        result = replace(result, capacity_rps=None, reason=text, cause="miscounted")
    return Replay(
        round=number,
        search=ongoing.search,
        capacity_rps=result.capacity_rps,
        failing_rps=result.failing_rps,
        reason=result.reason,
        cause=result.cause,
        knee_rps=knee_rps(ladder),
        ladder=tuple(ladder),
        overload=overload,
        trail=tuple(ongoing.trail),
        count_difference=count_difference,
        stolen_ms=float(slices["steal_ms"].sum()),
        load_ms=float((slices["drained_ns"] - slices["start_ns"]).sum()) / 1e6,
        surge=surge,
        passing_rps=result.passing_rps,
        failure=result.failure,
    )


def _surge(requests: pl.DataFrame, start_ns: int) -> pl.DataFrame:
    answered = pl.when(pl.col("failure") == 0).then((pl.col("end_ns") - pl.col("due_ns")) / 1e6)
    return requests.select(at_ms=(pl.col("due_ns") - start_ns) / 1e6, time_ms=answered)
