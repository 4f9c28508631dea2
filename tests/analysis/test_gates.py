"""Each gate twice: a sound run passes it, and frames as a broken run would give them trip it."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from loadtests.analysis import gates
from loadtests.analysis.observations import observe
from loadtests.analysis.summary import GateResult, RunInfo
from loadtests.analysis.verdict import summarise
from loadtests.config.metrics import COMPARED, loop_of
from loadtests.samples.store import Failure, Samples
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


def looked_at(samples: Samples, run: RunInfo | None = None) -> dict[str, GateResult]:
    """What every gate finds on contestant A."""
    return {one.gate: one for one in gates.inspect(digested(samples), run or run_of()) if one.contestant == A}


def found(gate: str, *pieces: Piece, run: RunInfo | None = None) -> GateResult:
    """What one gate finds on contestant A in these slices."""
    return looked_at(samples_of(*pieces), run)[gate]


def late(requests: int, by_ms: float, **changes: Any) -> Samples:
    """An open slice of which the last so many requests were sent late, though users were free."""
    samples = samples_of(Piece(mode="open", users=16, requests=100, gap_ms=5.0, **changes))
    is_last = pl.int_range(pl.len()) >= 100 - requests
    shift = pl.when(is_last).then(round(by_ms * MS)).otherwise(0)
    return replace(samples, requests=samples.requests.with_columns(pl.col("sent_ns", "end_ns") + shift))


def queued(users: int, gap_ms: float, service_ms: np.ndarray[Any, Any], own_ms: float = 0.0) -> Samples:
    """An open slice whose generator sends as soon as the request is due and a user is free, and `own_ms` later."""
    free_ms, rows = [0.0] * users, []
    for place, takes_ms in enumerate(service_ms):
        due = place * gap_ms
        sent = max(due, min(free_ms)) + own_ms
        free_ms[free_ms.index(min(free_ms))] = sent + takes_ms
        rows.append((due, sent, sent + takes_ms))
    samples = samples_of(Piece(mode="open", users=users, requests=len(rows)))
    times = pl.DataFrame(rows, ["due_ns", "sent_ns", "end_ns"], orient="row")
    return replace(samples, requests=samples.requests.with_columns((times * MS).cast(pl.Int64)))


def test_a_sound_run_passes_every_gate() -> None:
    pieces = rounds_of([*both_loops(A, requests=500), *both_loops(B, requests=500)], 3)

    results = gates.inspect(digested(samples_of(*pieces)), run_of())

    assert [one.gate for one in results] == [*gates.GATES, *gates.GATES]
    assert all(one.ok and one.value is not None for one in results)
    assert gates.reasons(results) == {}


@pytest.mark.parametrize(("failed", "ok"), [(0, True), (1, False)])
def test_errors_stay_below_one_in_a_thousand(failed: int, ok: bool) -> None:
    result = found("error_rate", Piece(requests=1000, failed=failed))

    assert (result.ok, result.value) == (ok, failed / 10)


def test_the_reason_for_errors_counts_their_kinds() -> None:
    result = found("error_rate", Piece(failed=3), Piece(failed=2, failure=Failure.TIMEOUT))

    assert result.note == "failed: 3 x status, 2 x timeout"


def test_kinds_of_errors_that_are_as_many_are_told_in_a_fixed_order() -> None:
    result = found("error_rate", *(Piece(failed=1, failure=kind) for kind in reversed(Failure) if kind))

    assert result.note.split(" x ", 1)[1].startswith("connect, 1 x reset, 1 x timeout")


@pytest.mark.parametrize(("unanswered", "ok"), [(0, True), (5, True), (6, False)])
def test_scheduled_requests_are_answered_but_for_one_in_two_hundred(unanswered: int, ok: bool) -> None:
    dropped = Piece(mode="open", requests=1000, failed=unanswered, failure=Failure.TIMEOUT)

    result = found("achieved_rate", dropped)

    assert (result.ok, result.value) == (ok, 100 - unanswered / 10)


@pytest.mark.parametrize(("share", "ok"), [(0.79, True), (0.81, False)])
def test_the_generator_keeps_a_fifth_of_its_core_free(share: float, ok: bool) -> None:
    result = found("generator_cpu", Piece(generator=share))

    assert result.ok == ok
    assert result.value == pytest.approx(100 * share, abs=0.1)


@pytest.mark.parametrize("kind", [Failure.CONNECT, Failure.RESET, Failure.TIMEOUT, Failure.MALFORMED])
def test_a_single_request_without_an_answer_is_one_too_many(kind: Failure) -> None:
    result = found("unfinished", Piece(requests=10_000, failed=1, failure=kind))

    assert (result.ok, result.value) == (False, 1.0)
    assert found(
        "unfinished", Piece(failed=1, failure=Failure.STATUS)
    ).ok  # a wrong answer is one all the same


def test_a_request_of_which_no_record_is_left_is_missed() -> None:
    samples = samples_of(Piece(requests=20))

    result = looked_at(replace(samples, requests=samples.requests.head(18)))["unfinished"]

    assert (result.ok, result.value) == (False, 2.0)
    assert result.note == "0 requests got no whole answer, 2 left no record"


def test_a_server_that_counted_one_request_less_is_caught() -> None:
    assert found("request_count", Piece(), Piece()).ok
    assert not found("request_count", Piece(), Piece(uncounted=1)).ok


def test_one_request_too_many_does_not_make_up_for_one_too_few() -> None:
    result = found("request_count", Piece(uncounted=1), Piece(uncounted=-1))

    assert (result.ok, result.value) == (False, 2.0)
    assert result.note == "client and server disagree by 2 requests"


def test_a_server_that_does_not_count_is_not_measured_and_passes() -> None:
    result = found("request_count", Piece(uncounted=None))

    assert (result.ok, result.value) == (True, None)
    assert "not measured" in result.note


def test_a_slice_that_was_not_counted_does_not_hide_one_that_was() -> None:
    assert found("request_count", Piece(uncounted=None), Piece(uncounted=1)).value == 1.0


def test_a_body_of_another_size_for_one_kind_of_request_is_caught() -> None:
    samples = samples_of(Piece(A), Piece(B), Piece("other"))
    mine = (pl.col("slice") == 0) & (pl.col("variant") == 2)
    shorter = pl.when(mine).then(80).otherwise(pl.col("body_bytes"))

    tripped = replace(samples, requests=samples.requests.with_columns(body_bytes=shorter))

    assert looked_at(samples)["bytes"].ok
    assert looked_at(tripped)["bytes"].value == pytest.approx(20)
    assert not looked_at(tripped)["bytes"].ok


def test_only_the_one_that_differs_from_most_is_blamed_for_its_bodies() -> None:
    results = gates.inspect(
        digested(samples_of(Piece(A), Piece(B), Piece("other", body_bytes=120))), run_of()
    )

    assert [one.contestant for one in results if not one.ok] == ["other"]


def test_of_two_that_differ_neither_is_usual_and_both_are_blamed_for_the_whole() -> None:
    results = gates.inspect(
        digested(samples_of(Piece(A, body_bytes=100), Piece(B, body_bytes=125))), run_of()
    )

    blamed = {one.contestant: one.value for one in results if not one.ok}
    assert blamed == pytest.approx({A: 20, B: 25})


def test_the_body_of_a_failure_is_not_compared() -> None:
    assert found("bytes", Piece(A), Piece(B, body_bytes=500, failed=20)).ok


def test_the_words_of_a_refusal_are_not_compared() -> None:
    refused = (Piece(A, status=422, block=1), Piece(B, status=422, block=1, body_bytes=140))

    assert found("bytes", Piece(A), Piece(B), *refused).ok
    assert found("bytes", *refused).value is None


def test_a_keep_alive_server_opens_no_more_connections_than_it_has_users() -> None:
    assert found("keep_alive", Piece(connections=2), Piece(round=1, connections=2)).ok

    result = found("keep_alive", Piece(connections=2), Piece(connections=18))

    assert not result.ok
    assert result.note == "20 connections were opened for 40 requests where 3 would do"


def test_a_server_that_is_to_close_connections_must_do_so_after_each_request() -> None:
    run = run_of(keep_alive={A: False})

    assert found("keep_alive", Piece(requests=20, connections=20), run=run).ok
    result = found("keep_alive", Piece(requests=20, connections=2), run=run)
    assert not result.ok
    assert "was to close each of them" in result.note


def test_times_cannot_add_up_to_more_than_the_users_had() -> None:
    samples = samples_of(Piece(users=2))
    overlapping = samples.slices.with_columns(concurrency=pl.lit(1, pl.Int32))  # a second user at work

    assert looked_at(samples)["littles_law"].value == 0.0
    result = looked_at(replace(samples, slices=overlapping))["littles_law"]
    assert (result.ok, result.value) == (False, 100.0)
    assert result.note == "request times add up to +100.0 % of users x time"


def test_times_that_add_up_to_less_mean_that_users_were_idle() -> None:
    samples = samples_of(Piece(users=4))
    idle = samples.requests.filter(pl.int_range(pl.len()) % 4 != 3)  # what one of four users did is missing

    result = looked_at(replace(samples, requests=idle))["littles_law"]

    assert not result.ok
    assert result.value == pytest.approx(-25)


def test_what_is_answered_after_the_stop_counts_until_the_stop() -> None:
    samples = samples_of(Piece(users=2, requests=20, service_ms=1.0))
    sooner = samples.slices.with_columns(stop_ns=pl.col("stop_ns") - 500_000)

    assert looked_at(replace(samples, slices=sooner))["littles_law"].value == 0.0


@pytest.mark.parametrize(("lag_ms", "ok"), [(0.5, True), (3.0, False)])
def test_where_there_are_too_few_answers_for_p95_the_half_is_judged(lag_ms: float, ok: bool) -> None:
    result = found("send_lag", Piece(mode="open", requests=40, users=16, gap_ms=5.0, lag_ms=lag_ms))

    assert result.ok == ok
    assert result.value == pytest.approx(lag_ms)


@pytest.mark.parametrize(("requests", "ok"), [(4, True), (10, False)])
def test_late_sends_with_a_user_free_are_the_generators_fault(requests: int, ok: bool) -> None:
    result = looked_at(late(requests, by_ms=3.0))["send_lag"]

    assert (result.ok, result.limit) == (ok, 1.0)


def test_a_lag_is_held_against_half_the_service_time_of_a_slow_server() -> None:
    result = looked_at(late(10, by_ms=3.0, service_ms=8.0))["send_lag"]

    assert (result.ok, result.limit) == (True, 4.0)


def test_late_sends_while_all_users_wait_for_the_server_do_not_trip() -> None:
    overloaded = looked_at(queued(users=4, gap_ms=1.0, service_ms=np.full(200, 8.0)))["send_lag"]

    assert overloaded.ok
    assert overloaded.value == pytest.approx(0)


def test_one_slow_answer_that_holds_a_user_up_is_not_blamed_on_the_generator() -> None:
    service_ms = np.where(np.arange(300) % 50 == 0, 80.0, 2.5)  # answers overtake each other

    result = looked_at(queued(users=2, gap_ms=2.0, service_ms=service_ms))["send_lag"]

    assert result.ok
    assert result.value == pytest.approx(0)


def test_a_generator_that_cannot_keep_up_is_not_excused_by_its_own_backlog() -> None:
    result = looked_at(queued(users=2, gap_ms=1.0, service_ms=np.full(300, 0.5), own_ms=3.0))["send_lag"]

    assert not result.ok
    assert result.value == pytest.approx(3.0, abs=0.01)


@pytest.mark.parametrize(("share", "aside"), [(0.29, 0), (0.31, 1)])
def test_a_slice_is_set_aside_for_its_stolen_time_alone(share: float, aside: int) -> None:
    taken = digested(samples_of(Piece(steal=share, service_ms=0.1), Piece(service_ms=9.0)), 30.0)

    assert int(taken.slices["aside"].sum()) == aside


@pytest.mark.parametrize(("stolen", "ok"), [(1, True), (2, False)])
def test_at_least_half_of_the_slices_must_be_left(stolen: int, ok: bool) -> None:
    result = found("steal", *(Piece(steal=0.5) for _ in range(stolen)), Piece())

    assert result.ok == ok
    assert result.value == pytest.approx(100 * stolen / (stolen + 1))
    assert result.note.startswith(f"{stolen} of {stolen + 1} slices set aside")


def test_what_is_set_aside_leaves_no_observation_and_no_percentile() -> None:
    stolen = both_loops(A, requests=100, steal=0.9, service_ms=50.0)

    observed = observe(digested(samples_of(*stolen, *both_loops(A, requests=100, block=1))))

    values = {metric: observed.filter(pl.col("metric") == metric)["value"].to_list() for metric in COMPARED}
    assert values["throughput_rps"] == [2000.0]
    assert values["response_p50_ms"] == [1.0]


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
def test_what_cannot_be_measured_is_none_with_a_note_and_no_failure(pieces: tuple[Piece, ...]) -> None:
    results = looked_at(samples_of(*pieces)).values()

    assert len(results) == len(gates.GATES)
    assert all(one.ok and one.note for one in results if one.value is None)
    assert all(np.isfinite(one.value) for one in results if one.value is not None)


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
    broken = GateResult(SCENARIO, A, gate, 9.0, 1.0, ok=False, note="late")

    assert gates.reasons([broken]) == {(SCENARIO, A, loop): (f"{gate}: late",) for loop in ("open", "tail")}


def test_a_late_tail_spoils_the_high_percentiles_alone() -> None:
    broken = GateResult(SCENARIO, A, "send_lag_tail", 9.0, 1.0, ok=False, note="late")

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
    broken = GateResult(SCENARIO, A, "littles_law", 12.0, 5.0, ok=False, note="too much")

    assert gates.reasons([broken]) == {(SCENARIO, A, "closed"): ("littles_law: too much",)}


def test_a_gate_on_the_whole_contestant_spoils_both_loops() -> None:
    broken = GateResult(SCENARIO, A, "steal", 40.0, 30.0, ok=False, note="stolen")

    assert set(gates.reasons([broken])) == {(SCENARIO, A, loop) for loop in ("closed", "open", "tail")}
