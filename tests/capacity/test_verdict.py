"""What all rounds say together: capacities, comparisons, surges, and the report of them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from loadtests.analysis.summary import Cell, GateResult, Summary
from loadtests.capacity.overload import Overload
from loadtests.capacity.replay import Replay
from loadtests.capacity.report import document_of
from loadtests.capacity.verdict import grouped, summarise, surges
from loadtests.plan.search import Cause, Search, Step
from loadtests.report.markdown import to_markdown
from loadtests.samples.outcome import Outcome
from tests.support.frames import SCENARIO, A, B, run_of

SEARCH = Search(SCENARIO, A, slo_ms=50.0, seed=7, rule="two of three", pauses=3)


def replay(
    contestant: str,
    number: int,
    capacity_rps: float | None,
    *,
    reason: str = "",
    cause: Cause | None = None,
    count_difference: int = 0,
    trail: Sequence[tuple[Step, Outcome]] = (),
) -> Replay:
    return Replay(
        round=number,
        search=replace(SEARCH, contestant=contestant),
        passing_rps=capacity_rps,
        capacity_rps=capacity_rps,
        failing_rps=None,
        reason=reason,
        cause=cause,
        knee_rps=400.0,
        ladder=(),
        overload=Overload(100, 60.0, 30.0, 5.0, 3.0, 2.0, 100.0 * number if number else None),
        trail=tuple(trail),
        count_difference=count_difference,
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
    summary = summary_of([replay(A, 0, 500.0, count_difference=3), replay(B, 0, 500.0)])

    assert {gate.contestant: gate.ok for gate in summary.gates if gate.gate == "request_count"} == {
        A: False,
        B: True,
    }


def pauses_gate(closed: int | None, *counts: int | None) -> GateResult:
    """Of one round, with the pauses of its closed loop and of the tries at the rate that passed."""
    trail = [(Step("closed", None, 2.0), Outcome(2000, 0, pauses=closed))]
    trail += [(Step("rung", 500.0, 2.0, 0.5), Outcome(1000, 0, pauses=count)) for count in counts]
    gates = summary_of([replay(A, 0, 500.0, trail=trail)]).gates
    return next(gate for gate in gates if gate.gate == "pauses")


def test_steps_too_short_to_span_the_servers_pauses_fail_a_gate() -> None:
    short, long = pauses_gate(3, 1, 2), pauses_gate(3, 2, 3)

    assert (short.value, short.limit, short.ok) == (1.5, 2.0, False)
    assert "give a larger --budget" in short.note
    assert (long.value, long.ok) == (2.5, True)


@pytest.mark.parametrize(("closed", "told"), [(None, "the server can't tell"), (0, "there was none")])
def test_where_no_pause_was_seen_the_gate_says_why(closed: int | None, told: str) -> None:
    gate = pauses_gate(closed, closed)

    assert gate.value is None
    assert gate.ok is None
    assert told in gate.note


def test_surges_are_told_as_medians_with_how_many_recovered() -> None:
    held = grouped([replay(A, number, 500.0) for number in range(4)])
    surge = surges(held)[SCENARIO, A]

    assert (surge.in_time_percent, surge.refused_percent) == (60.0, 5.0)
    assert (surge.recovery_ms, surge.recovered, surge.rounds) == (200.0, 3, 4)


def test_the_report_teaches_how_to_read_its_verdicts() -> None:
    replays = [replay(name, number, 500.0) for number in range(3) for name in (A, B)]
    page = to_markdown(document_of(summary_of(replays), replays, SEARCH), {})

    assert "Capacity is the highest rate" in page
    assert "A rate passes by two tries of three" in page
    assert "carry the same load" in page


def test_a_report_of_a_run_by_the_old_rule_says_so() -> None:
    replays = [replay(name, number, 500.0) for number in range(3) for name in (A, B)]
    old = replace(SEARCH, rule="second try", pauses=0)
    page = to_markdown(document_of(summary_of(replays), replays, old), {})

    assert "the second try decides (the rule of version 0.2)" in page
    assert "two tries of three" not in page


def test_the_summary_survives_the_way_through_json() -> None:
    summary = summary_of([replay(name, number, 500.0) for number in range(3) for name in (A, B)])

    assert Summary.from_json(summary.to_json()).comparisons == summary.comparisons
