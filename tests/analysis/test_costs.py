"""Costs with their pauses apart: values worked out by hand, and what is said where something is missing."""

from collections.abc import Sequence
from dataclasses import replace
from math import log
from typing import Any

import numpy as np
import polars as pl
import pytest

from loadtests.analysis.costs import Slices, log_ratios
from loadtests.analysis.estimates import estimate
from loadtests.analysis.summary import Cell, Comparison, Summary
from loadtests.analysis.verdict import summarise
from tests.support.frames import SCENARIO, A, B, Piece, digested, run_of, samples_of

CPU, RPS = "cpu_us_per_request", "throughput_rps"
ROUNDS, BLOCKS = 4, 5


def pausing(every: int = 5, **changes: Any) -> list[Piece]:
    """20 requests of 1 ms and 100 µs a slice. In A one slice in `every` has a pause of 5 ms: 50 µs a request at 5."""
    return [
        Piece(name, round=number, block=block, pause_ms=5.0, pauses=pauses, **changes)
        for number in range(ROUNDS)
        for block in range(BLOCKS)
        for name, pauses in ((A, int((number * BLOCKS + block) % every == 0)), (B, 0))
    ]


def summary_of(pieces: Sequence[Piece], **run: Any) -> Summary:
    return summarise(digested(samples_of(*pieces)), run_of(**run))


def compared(summary: Summary, metric: str) -> Comparison:
    (one,) = (c for c in summary.comparisons if c.metric == metric)
    return one


def cell(summary: Summary, metric: str, contestant: str = A) -> Cell:
    (one,) = (
        c for c in summary.cells if (c.scenario, c.contestant, c.metric) == (SCENARIO, contestant, metric)
    )
    return one


def test_a_cost_is_its_part_free_of_pauses_and_its_share_of_the_pauses() -> None:
    summary = summary_of(pausing())

    assert cell(summary, "pause_free_cpu_us_per_request").value == pytest.approx(100)
    assert cell(summary, "pause_us_per_request").value == pytest.approx(50)
    assert cell(summary, CPU).value == pytest.approx(150)
    assert cell(summary, CPU, B).value == pytest.approx(100)


def test_throughput_is_over_time_with_its_share_of_the_pauses() -> None:
    """Two users, 20 requests of 1 ms: 10 ms, and a millisecond of pause for each slice."""
    summary = summary_of(pausing())

    assert cell(summary, RPS, B).value == pytest.approx(2000)
    assert cell(summary, RPS).value == pytest.approx(2000 / 1.1)
    assert compared(summary, RPS).ratio == pytest.approx(1 / 1.1)


def test_a_ratio_has_the_pauses_that_a_median_would_lose() -> None:
    assert compared(summary_of(pausing()), CPU).ratio == pytest.approx(1.5)


def test_the_ratio_does_not_depend_on_where_the_pauses_fall() -> None:
    """All in one round, or one in each."""
    together = [
        replace(one, pauses=0 if one.contestant == B or one.round > 0 else int(one.block < ROUNDS))
        for one in pausing()
    ]

    found, spread = compared(summary_of(together), CPU), compared(summary_of(pausing()), CPU)

    assert found.ratio == pytest.approx(spread.ratio)
    assert (found.high or 0) > (spread.high or 9)


def test_a_pause_of_one_worker_in_two_costs_half_the_time_and_all_of_the_cpu() -> None:
    summary = summary_of(pausing(), workers={A: 2})

    assert cell(summary, CPU).value == pytest.approx(150)
    assert cell(summary, RPS).slices == ROUNDS * BLOCKS
    without = compared(summary_of(pausing()), RPS)
    assert (compared(summary, RPS).ratio or 0) > (without.ratio or 9)


def test_pauses_are_counted_in_closed_slices_and_the_longest_in_any() -> None:
    """At half load fewer requests are in flight, fewer objects outlive a young collection, and pauses are rarer."""
    opened = [Piece(A, mode="open", round=number, pauses=1, pause_ms=80.0) for number in range(ROUNDS)]

    summary = summary_of([*pausing(), *opened])

    between, longest = (cell(summary, name) for name in ("requests_between_pauses", "longest_pause_ms"))
    assert between.value == pytest.approx(20 * ROUNDS * BLOCKS / ROUNDS)
    assert cell(summary, "pause_us_per_request").value == pytest.approx(50)
    assert longest.value == 80.0
    assert longest.low is None


def test_a_server_without_a_pause_has_none_and_says_among_how_many_requests() -> None:
    summary = summary_of(pausing())

    assert cell(summary, "requests_between_pauses", B).value is None
    assert cell(summary, "longest_pause_ms", B).value == 0.0
    assert cell(summary, "pause_us_per_request", B).value == 0.0
    for metric in ("requests_between_pauses", "longest_pause_ms", "pause_us_per_request"):
        assert cell(summary, metric, B).reasons == (f"no pause in {20 * ROUNDS * BLOCKS} requests",)
        assert cell(summary, metric, B).low is None


def test_a_server_that_does_not_tell_its_pauses_has_them_in_its_cost_and_says_so() -> None:
    untold = [replace(one, pauses=None, cpu_us=150.0 if one.contestant == A else 100.0) for one in pausing()]

    summary = summary_of(untold)

    assert cell(summary, CPU).value == pytest.approx(150)
    assert cell(summary, CPU).reasons == ("pauses not measured",)
    assert (cell(summary, CPU).valid, cell(summary, "pause_us_per_request").value) == (True, None)
    assert compared(summary, CPU).ratio == pytest.approx(1.5)
    assert compared(summary, CPU).note == f"pauses not measured on {A} and {B}"


def test_slices_without_a_reading_are_left_out_where_others_have_one() -> None:
    pieces = [replace(one, pauses=None, cpu_us=999.0) if one.block == 0 else one for one in pausing(every=4)]

    summary = summary_of(pieces)

    assert cell(summary, "pause_free_cpu_us_per_request").value == pytest.approx(100)
    assert cell(summary, CPU).slices == ROUNDS * (BLOCKS - 1)


def test_a_slice_that_was_one_long_pause_adds_to_the_pauses_alone() -> None:
    """Its CPU time is read a little lower than that of the pause."""
    samples = samples_of(*pausing())
    swallowed = (pl.col("contestant") == A) & (pl.col("gen2_count") > 0)
    cpu_ns = pl.when(swallowed).then(pl.col("gen2_cpu_ns") - 1).otherwise(pl.col("server_cpu_ns"))

    changed = replace(samples, slices=samples.slices.with_columns(server_cpu_ns=cpu_ns))
    summary = summarise(digested(changed), run_of())

    assert cell(summary, "pause_free_cpu_us_per_request").value == pytest.approx(100)
    assert cell(summary, "pause_us_per_request").value == pytest.approx(50)


def test_pauses_of_both_launches_are_data() -> None:
    twin = [replace(one, contestant=f"{A}#2", pauses=0) for one in pausing() if one.contestant == A]

    summary = summary_of([*pausing(), *twin], twins={f"{A}#2": A})

    assert cell(summary, "pause_us_per_request").value == pytest.approx(25)
    assert compared(summary, CPU).ratio == pytest.approx(1.25)


def test_memory_of_its_own_stands_once_for_a_contestant_and_takes_the_place_of_pss() -> None:
    samples = samples_of(*pausing())
    mib = pl.when(pl.col("contestant") == A).then(30 * 1024).otherwise(60 * 1024).cast(pl.Int64)

    summary = summarise(
        digested(replace(samples, servers=samples.servers.with_columns(private_kib=mib))), run_of()
    )

    memory = [one for one in summary.comparisons if one.metric.endswith("_mib")]
    assert [(one.scenario, one.metric, one.verdict) for one in memory] == [("", "private_mib", "a_better")]
    own = {(one.scenario, one.contestant): one.value for one in summary.cells if one.metric == "private_mib"}
    assert own == pytest.approx({("", A): 30, ("", B): 60})
    assert {one.scenario for one in summary.cells if one.metric == "pss_mib"} == {SCENARIO}


def slices(clean: Sequence[Sequence[float]], pause: Sequence[Sequence[float]]) -> Slices:
    """Of one launch, by round and block, one request each."""
    costs, pauses = (np.array(part, dtype=np.float64)[:, None, :] for part in (clean, pause))
    return Slices(costs, pauses, np.ones_like(costs))


def test_the_mean_of_the_rounds_values_is_the_estimate_itself() -> None:
    """Clean parts of 2 and 1; of the total, 8 and 2 of 20 are pauses: 2 x (1 + 8 / 12) over 1 x (1 + 2 / 6)."""
    a = slices([[2, 2], [2, 2], [2, 2]], [[8, 0], [0, 0], [0, 0]])
    b = slices([[1, 1], [1, 1], [1, 1]], [[0, 0], [0, 1], [1, 0]])

    assert log_ratios(a, b).mean() == pytest.approx(log(2 * (1 + 8 / 12) / (1 + 2 / 6)))


def test_the_error_of_the_pauses_is_the_jackknifes() -> None:
    """Leaving out one round at a time (Efron and Stein 1981) gives about the same error as the linearisation."""
    rng = np.random.default_rng(1)
    a = slices(rng.uniform(0.9, 1.1, (12, 6)).tolist(), rng.binomial(1, 0.4, (12, 6)).tolist())
    even = slices(np.ones((12, 6)).tolist(), np.zeros((12, 6)).tolist())
    kept = [np.arange(12) != left_out for left_out in range(12)]

    left = np.array([log_ratios(a.rounds(one), even.rounds(one)).mean() for one in kept])
    jackknife = np.sqrt(11 / 12 * np.sum((left - left.mean()) ** 2))

    assert estimate(log_ratios(a, even)).error == pytest.approx(jackknife, rel=0.05)
