"""Every gate passes a sound run; what cannot be measured; what a tripped gate spoils."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from loadtests.analysis import gates
from loadtests.analysis.observations import observe
from loadtests.analysis.summary import GateResult
from loadtests.analysis.verdict import summarise
from loadtests.config.metrics import COMPARED, loop_of
from tests.support.frames import (
    MS,
    SCENARIO,
    A,
    B,
    Piece,
    both_loops,
    digested,
    rounds_of,
    run_of,
    samples_of,
)
from tests.support.gates import looked_at


def test_a_sound_run_passes_every_gate() -> None:
    pieces = rounds_of([*both_loops(A, requests=500), *both_loops(B, requests=500)], 3)

    results = gates.inspect(digested(samples_of(*pieces)), run_of())

    expected = [(name, loop) for name, gate in gates.GATES.items() for loop in gate.loops if loop != "curve"]
    assert [(one.gate, one.loop) for one in results] == [*expected, *expected]
    assert all(one.ok is True and one.value is not None for one in results)
    assert gates.reasons(results) == {}


def test_what_is_set_aside_leaves_no_observation() -> None:
    stolen = both_loops(A, requests=100, steal=0.9, service_ms=50.0)

    observed = observe(digested(samples_of(*stolen, *both_loops(A, requests=100, block=1))))

    values = {metric: observed.filter(pl.col("metric") == metric)["value"].to_list() for metric in COMPARED}
    assert values["throughput_rps"] == [2000.0]


@pytest.mark.parametrize(
    "pieces",
    [
        (Piece(),),
        (Piece(mode="open"),),
        (Piece(requests=0, uncounted=None),),
        (Piece(mode="open", requests=0),),
        (Piece(requests=1), Piece(mode="open", requests=1)),
        (Piece(failed=20), Piece(mode="open", failed=20)),
        (Piece(service_ms=0.0), Piece(mode="open", service_ms=0.0)),
    ],
)
def test_what_cannot_be_measured_is_not_checked_and_says_why(pieces: tuple[Piece, ...]) -> None:
    results = gates.inspect(digested(samples_of(*pieces)), run_of())

    assert {one.loop for one in results} == {"", *(piece.mode for piece in pieces)}
    assert all(one.ok is None and one.note for one in results if one.value is None)
    assert all(one.ok is not None and np.isfinite(one.value) for one in results if one.value is not None)
    assert not any("not_checked" in key for key in gates.reasons(results))


def test_meters_that_were_not_read_are_not_taken_for_zero() -> None:
    samples = samples_of(Piece())
    unread = samples.slices.with_columns(
        generator_cpu_ns=pl.lit(None, pl.Int64), steal_ms=pl.lit(None, pl.Float64)
    )

    results = looked_at(replace(samples, slices=unread))

    assert (results["generator_cpu"].value, results["steal"].value) == (None, None)


def test_no_samples_at_all_give_no_results() -> None:
    assert gates.inspect(digested(samples_of()), run_of()) == []


def test_a_tripped_gate_makes_cell_and_comparison_invalid_and_keeps_the_number() -> None:
    pieces = rounds_of([Piece(A, uncounted=1), Piece(B)], 3)

    summary = summarise(digested(samples_of(*pieces)), run_of())

    cell = next(one for one in summary.cells if (one.contestant, one.metric) == (A, "throughput_rps"))
    comparison = next(one for one in summary.comparisons if one.metric == "throughput_rps")
    reason = "request_count: client and server disagree by 3 requests"
    assert (cell.valid, cell.reasons) == (False, (reason,))
    assert cell.value == pytest.approx(2000)
    assert (comparison.verdict, comparison.note) == ("invalid", f"{A}: {reason}")
    assert comparison.ratio == pytest.approx(1)


def test_requests_that_were_not_answered_spoil_latencies_with_their_share() -> None:
    unanswered = Piece(A, mode="open", requests=100, failed=1)
    results = gates.inspect(digested(samples_of(Piece(A, requests=1000), unanswered)), run_of())

    spoiled = gates.reasons([one for one in results if one.gate == "achieved_rate"])

    why = ("achieved_rate: 99.00 % were answered",)
    assert spoiled == {(SCENARIO, A, "open"): why, (SCENARIO, A, "tail"): why}


@pytest.mark.parametrize("gate", ["achieved_rate", "send_lag"])
def test_a_gate_on_the_open_loop_spoils_latencies_alone(gate: str) -> None:
    broken = GateResult(SCENARIO, A, gate, 9.0, 1.0, ok=False, note="late", loop="open")

    assert gates.reasons([broken]) == {(SCENARIO, A, loop): (f"{gate}: late",) for loop in ("open", "tail")}


def test_a_late_tail_spoils_the_high_percentiles_alone() -> None:
    broken = GateResult(SCENARIO, A, "send_lag_tail", 9.0, 1.0, ok=False, note="late", loop="open")

    assert gates.reasons([broken]) == {(SCENARIO, A, "tail"): ("send_lag_tail: late",)}
    assert [loop_of(f"response_{one}_ms") for one in ("p50", "p95", "p99", "p999")] == ["open"] * 2 + [
        "tail"
    ] * 2


@pytest.mark.parametrize(("late_ones", "ok"), [(4, True), (10, False)])
def test_the_tail_is_judged_by_the_last_hundredth(late_ones: int, ok: bool) -> None:
    samples = samples_of(Piece(mode="open", users=16, requests=500, gap_ms=5.0))
    shift = pl.when(pl.int_range(pl.len()) >= 500 - late_ones).then(3 * MS).otherwise(0)
    shifted = samples.requests.with_columns(pl.col("sent_ns", "end_ns") + shift)

    results = looked_at(replace(samples, requests=shifted))

    assert results["send_lag"].ok
    assert results["send_lag_tail"].ok == ok


def test_a_gate_on_the_closed_loop_leaves_latencies_alone() -> None:
    broken = GateResult(SCENARIO, A, "littles_law", 12.0, 5.0, ok=False, note="too much", loop="closed")

    assert gates.reasons([broken]) == {(SCENARIO, A, "closed"): ("littles_law: too much",)}


def test_a_gate_on_the_whole_contestant_spoils_all_loops() -> None:
    broken = GateResult(SCENARIO, A, "keep_alive", 40.0, 30.0, ok=False, note="too many")

    assert set(gates.reasons([broken])) == {
        (SCENARIO, A, loop) for loop in ("closed", "open", "tail", "curve")
    }


def test_a_gate_on_a_curve_spoils_neither_throughput_nor_latencies_at_equal_rates() -> None:
    broken = GateResult(SCENARIO, A, "send_lag", 40.0, 25.0, ok=False, note="late", loop="curve")

    assert set(gates.reasons([broken])) == {(SCENARIO, A, "curve")}


def test_what_was_not_checked_spoils_nothing() -> None:
    unchecked = GateResult(SCENARIO, A, "steal", None, 30.0, ok=None, note="not measured: no meter")

    assert gates.reasons([unchecked]) == {}
