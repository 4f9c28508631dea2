"""What a step showed, what became of a surge, where the knee is, and what all rounds say together."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.analysis.summary import Cell, Summary
from loadtests.capacity.curves import Rung, curve, knee_rps, rungs
from loadtests.capacity.overload import Overload, overload_of
from loadtests.capacity.replay import Replay
from loadtests.capacity.report import document_of
from loadtests.capacity.verdict import grouped, summarise, surges
from loadtests.plan.search import Cause, Search, Step
from loadtests.report.markdown import to_markdown
from loadtests.samples.facts import SliceFacts
from loadtests.samples.outcome import ANSWERS_NEEDED, Outcome, lags_ns, outcome_of
from loadtests.samples.store import REQUESTS, Failure
from tests.support.frames import MS, SCENARIO, A, B, run_of

START_NS = 1_000 * MS
SEARCH = Search(SCENARIO, A, slo_ms=50.0, seed=7)


def requests_of(
    times_ms: Sequence[float], *, gap_ms: float = 1.0, failures: Sequence[Failure] = (), lag_ms: float = 0.0
) -> pl.DataFrame:
    """A request due every `gap_ms`, sent `lag_ms` later, answered after its time; the first ones fail as given."""
    kinds = [*failures, *[Failure.NONE] * (len(times_ms) - len(failures))]
    rows = []
    for place, (time_ms, kind) in enumerate(zip(times_ms, kinds, strict=True)):
        due = START_NS + round(place * gap_ms * MS)
        sent, end = due + round(lag_ms * MS), due + round(time_ms * MS)
        rows.append((0, due, sent, max(sent, end), 200, 100, 50, 0, int(kind)))
    return pl.DataFrame(rows, dict(REQUESTS), orient="row")


def facts_of(requests: pl.DataFrame, generator_cpu_ns: int = 0) -> SliceFacts:
    drained_ns = max(requests["end_ns"].to_list() or [START_NS])
    return SliceFacts(
        round=0,
        slice=0,
        block=0,
        scenario=SCENARIO,
        contestant=A,
        mode="open",
        rate_rps=None,
        concurrency=64,
        start_ns=START_NS,
        stop_ns=drained_ns,
        drained_ns=drained_ns,
        warmup_ns=0,
        warmup_requests=0,
        client_requests=requests.height,
        server_requests=None,
        connections=0,
        server_cpu_ns=None,
        generator_cpu_ns=generator_cpu_ns,
        steal_ms=0.0,
    )


def seen(requests: pl.DataFrame, generator_cpu_ns: int = 0) -> Outcome:
    return outcome_of(requests, facts_of(requests, generator_cpu_ns))


def test_response_times_count_from_when_a_request_was_due() -> None:
    found = seen(requests_of([10.0] * 600, lag_ms=4.0))

    assert (found.p50_ms, found.p99_ms, found.mean_ms) == pytest.approx((10.0, 10.0, 10.0))
    assert found.lag_ms == pytest.approx(4.0)
    assert (found.answered, found.failed, found.error_percent) == (600, 0, 0.0)


def test_failures_are_counted_and_never_join_the_times() -> None:
    found = seen(requests_of([9_000.0] * 6 + [10.0] * 594, failures=[Failure.TIMEOUT] * 6))

    assert found.p99_ms == pytest.approx(10.0)
    assert (found.answered, found.failed, found.error_percent) == (594, 6, 1.0)


def test_a_p99_needs_five_hundred_answers() -> None:
    assert seen(requests_of([1.0] * (ANSWERS_NEEDED - 1))).p99_ms is None
    assert seen(requests_of([1.0] * ANSWERS_NEEDED)).p99_ms is not None


def test_a_step_without_requests_has_only_failed() -> None:
    found = seen(requests_of([]))

    assert (found.answered, found.throughput_rps, found.error_percent) == (0, 0.0, 100.0)


def test_throughput_and_the_generators_share_are_those_of_the_slice() -> None:
    found = seen(requests_of([1.0] * 1000), generator_cpu_ns=500 * MS)

    assert found.throughput_rps == pytest.approx(1000, rel=0.001)
    assert found.generator_percent == pytest.approx(50, rel=0.001)


def test_a_request_that_waits_for_a_free_user_is_not_the_generators_lag() -> None:
    """One user, answers take 5 ms, requests fall due every ms: each is sent when the one before is answered."""
    due = np.arange(10) * MS
    sent = np.arange(10) * 5 * MS
    frame = pl.DataFrame({"due_ns": due, "sent_ns": sent, "end_ns": sent + 5 * MS})

    assert lags_ns(frame, users=1).tolist() == [0] * 10
    assert lags_ns(frame, users=10).tolist() == (sent - due).tolist()


def surge_of(times_ms: Sequence[float], failures: Sequence[Failure] = ()) -> Overload:
    """A request a millisecond; the overload lasts half a second."""
    found = overload_of(requests_of(times_ms, failures=failures), START_NS, 0.5, 50.0)
    assert found is not None
    return found


def test_every_request_of_an_overload_is_accounted_for_once() -> None:
    kinds = [Failure.TIMEOUT] * 50 + [Failure.STATUS] * 30 + [Failure.RESET] * 10 + [Failure.CONNECT] * 10
    kinds += [Failure.BODY] * 3 + [Failure.MALFORMED] * 2
    found = surge_of([10.0] * 300 + [80.0] * 200 + [10.0] * 500, kinds)

    assert found.requests == 500
    assert found.timed_out_percent == pytest.approx(10)
    assert found.refused_percent == pytest.approx(10)
    assert found.broken_percent == pytest.approx(1)
    assert found.late_percent == pytest.approx(40)
    assert found.in_time_percent == pytest.approx(39)


@given(st.lists(st.sampled_from(list(Failure)), min_size=1, max_size=60), st.floats(0, 100))
def test_the_shares_of_an_overload_add_up(kinds: list[Failure], time_ms: float) -> None:
    found = surge_of([time_ms] * 600, kinds)
    shares = (
        found.in_time_percent,
        found.late_percent,
        found.refused_percent,
        found.timed_out_percent,
        found.broken_percent,
    )

    assert sum(shares) == pytest.approx(100)


def test_recovery_ends_with_the_first_request_from_which_on_the_slo_is_met() -> None:
    assert surge_of([400.0] * 700 + [10.0] * 800).recovery_ms == pytest.approx(200, abs=10)
    assert surge_of([400.0] * 500 + [10.0] * 800).recovery_ms == pytest.approx(0)


def test_one_late_request_in_a_hundred_does_not_put_recovery_off() -> None:
    stall = [10.0] * 400 + [90.0] * 3 + [10.0] * 397

    assert surge_of([400.0] * 700 + stall).recovery_ms == pytest.approx(200, abs=10)


def test_a_relapse_does() -> None:
    relapse = [10.0] * 200 + [90.0] * 100 + [10.0] * 500

    assert surge_of([400.0] * 700 + relapse).recovery_ms == pytest.approx(500, abs=10)


def test_failures_are_no_recovery() -> None:
    assert surge_of([10.0] * 1500, [Failure.STATUS] * 800).recovery_ms == pytest.approx(300, abs=10)


def test_what_is_late_to_the_end_has_not_recovered() -> None:
    assert surge_of([400.0] * 1300).recovery_ms is None
    assert surge_of([400.0] * 1250 + [10.0] * 50).recovery_ms is None


def test_a_surge_without_requests_is_no_overload() -> None:
    assert overload_of(requests_of([]), START_NS, 0.5, 50.0) is None


def rung(fraction: float, rate_rps: float, mean_ms: float) -> Rung:
    return Rung(fraction, rate_rps, mean_ms, mean_ms, 2 * mean_ms, 4 * mean_ms)


@given(st.floats(10, 10_000))
def test_the_knee_of_a_queue_is_half_of_its_service_rate(service_rps: float) -> None:
    """M/M/1: the mean response time is 1 / (mu - lambda), so power peaks at rho = 1/2 (Kleinrock 1979)."""
    ladder = [
        rung(rho, rho * service_rps, 1000 / (service_rps * (1 - rho))) for rho in np.arange(0.05, 1, 0.05)
    ]

    assert knee_rps(ladder) == pytest.approx(service_rps / 2)


def test_without_a_rung_there_is_no_knee() -> None:
    assert knee_rps([]) is None


def outcome(mean_ms: float, answered: int = 600) -> Outcome:
    p99_ms = 4 * mean_ms if answered >= ANSWERS_NEEDED else None
    return Outcome(answered, 0, 0.0, mean_ms, mean_ms, 2 * mean_ms, p99_ms, 0.1)


def test_of_a_rung_that_was_tried_twice_the_second_try_counts() -> None:
    first = Step("rung", 100.0, 1.0, 0.2)
    trail = [
        (Step("closed", None, 1.0), outcome(9.0)),
        (first, outcome(50.0)),
        (replace(first, again=True), outcome(5.0)),
        (Step("rung", 200.0, 1.0, 0.4), outcome(8.0, answered=20)),
        (Step("bisection", 150.0, 1.0), outcome(6.0)),
    ]

    assert [(one.fraction, one.mean_ms) for one in rungs(trail)] == [(0.2, 5.0)]


def test_a_curve_holds_the_medians_of_rungs_that_most_rounds_have() -> None:
    ladders = [[rung(0.2, rate, rate / 100)] for rate in (100.0, 110.0, 500.0)]
    ladders[0].append(rung(0.4, 200.0, 3.0))

    (point,) = curve(ladders)

    assert (point.fraction, point.rate_rps, point.p50_ms, point.rounds) == (0.2, 110.0, 1.1, 3)


def replay(
    contestant: str,
    number: int,
    capacity_rps: float | None,
    *,
    reason: str = "",
    cause: Cause | None = None,
    apart: int = 0,
) -> Replay:
    return Replay(
        round=number,
        search=replace(SEARCH, contestant=contestant),
        capacity_rps=capacity_rps,
        failing_rps=None,
        reason=reason,
        cause=cause,
        knee_rps=400.0,
        ladder=(),
        overload=Overload(100, 60.0, 30.0, 5.0, 3.0, 2.0, 100.0 * number if number else None),
        trail=(),
        apart=apart,
        stolen_ms=1.0,
        load_ms=100.0,
        surge=pl.DataFrame(schema={"at_ms": pl.Float64, "time_ms": pl.Float64}),
    )


def summary_of(replays: Sequence[Replay]) -> Summary:
    return summarise(replays, run_of(A, B))


def capacity_in(summary: Summary, contestant: str) -> Cell:
    return next(
        cell
        for cell in summary.cells
        if (cell.contestant, cell.metric) == (contestant, "capacity_at_slo_rps")
    )


STEADY = (0.99, 1.0, 1.01, 1.0, 0.995)


def test_capacities_are_compared_round_by_round() -> None:
    drift = (1.0, 0.5, 2.0, 0.7, 1.4)
    pairs = [
        (replay(A, number, 500 * slow * noise), replay(B, number, 1000 * slow))
        for number, (slow, noise) in enumerate(zip(drift, STEADY, strict=True))
    ]
    summary = summary_of([one for pair in pairs for one in pair])
    (compared,) = summary.comparisons

    assert (compared.metric, compared.verdict, compared.rounds) == ("capacity_at_slo_rps", "b_better", 5)
    assert compared.ratio == pytest.approx(0.5, rel=0.01)
    assert capacity_in(summary, B).value == pytest.approx(1000 * np.exp(np.log(drift).mean()))
    assert capacity_in(summary, B).unit == "requests/s"
    assert {cell.metric for cell in summary.cells} == {"capacity_at_slo_rps", "knee_rps"}


def test_rounds_without_a_capacity_are_left_out_and_told_of() -> None:
    why = "the load generator itself sent 12.0 ms late (p99) where the SLO was missed"
    ours = [
        replay(A, 0, None, reason=why, cause="generator"),
        *(replay(A, number, 500.0) for number in range(1, 4)),
    ]
    summary = summary_of([*ours, *(replay(B, number, 500.0) for number in range(4))])

    assert capacity_in(summary, A).value == pytest.approx(500)
    assert capacity_in(summary, A).rounds == 3
    assert capacity_in(summary, A).reasons == (f"1 of 4 rounds: {why}",)
    assert summary.comparisons[0].verdict == "equivalent"


def test_a_server_that_meets_no_slo_has_no_figure_but_a_reason() -> None:
    told = [f"no rate meets the SLO of 50 ms: p99 was {p99} ms" for p99 in (60, 61, 62)]
    ours = [replay(A, number, None, reason=why, cause="never met") for number, why in enumerate(told)]
    summary = summary_of([*ours, *(replay(B, number, 500.0) for number in range(3))])
    (compared,) = summary.comparisons

    assert capacity_in(summary, A).value is None
    assert capacity_in(summary, A).reasons == (f"3 of 3 rounds: {told[0]}",)
    assert (compared.ratio, compared.verdict) == (None, "inconclusive")
    assert compared.note == f"{A}: 3 of 3 rounds: {told[0]}"


def test_rounds_without_a_capacity_are_counted_by_cause_however_their_reasons_begin() -> None:
    causes: tuple[Cause, ...] = ("generator", "never missed", "generator")
    ours = [
        replay(A, number, None, reason=f"{number}: {cause}", cause=cause)
        for number, cause in enumerate(causes)
    ]

    assert capacity_in(summary_of(ours), A).reasons == (
        "2 of 3 rounds: 0: generator",
        "1 of 3 rounds: 1: never missed",
    )


def test_too_few_rounds_ask_for_a_larger_budget() -> None:
    (compared,) = summary_of([replay(A, 0, 500.0), replay(B, 0, 900.0)]).comparisons

    assert (compared.low, compared.verdict) == (None, "inconclusive")
    assert "give a larger --budget" in compared.note


def test_a_server_that_counts_otherwise_fails_a_gate() -> None:
    summary = summary_of([replay(A, 0, 500.0, apart=3), replay(B, 0, 500.0)])

    assert {gate.contestant: gate.ok for gate in summary.gates if gate.gate == "request_count"} == {
        A: False,
        B: True,
    }


def test_surges_are_told_as_medians_with_how_many_recovered() -> None:
    held = grouped([replay(A, number, 500.0) for number in range(4)])
    surge = surges(held)[SCENARIO, A]

    assert (surge.in_time_percent, surge.refused_percent) == (60.0, 5.0)
    assert (surge.recovery_ms, surge.recovered, surge.rounds) == (200.0, 3, 4)


def test_the_report_teaches_how_to_read_its_verdicts() -> None:
    replays = [replay(name, number, 500.0) for number in range(3) for name in (A, B)]
    page = to_markdown(document_of(summary_of(replays), replays, SEARCH), {})

    assert "Capacity is the highest rate" in page
    assert "carry the same load" in page


def test_the_summary_survives_the_way_through_json() -> None:
    summary = summary_of([replay(name, number, 500.0) for number in range(3) for name in (A, B)])

    assert Summary.from_json(summary.to_json()).comparisons == summary.comparisons
