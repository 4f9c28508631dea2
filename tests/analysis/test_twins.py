"""A server against its own second launch: what is found, what it does to the intervals, and that both are data."""

from collections.abc import Sequence
from dataclasses import replace
from math import hypot, log

import pytest

from loadtests.analysis.summary import AaRatio, Summary
from loadtests.analysis.verdict import summarise
from tests.support.frames import A, B, Piece, digested, run_of, samples_of

TWIN = f"{A}#2"
CPU = "cpu_us_per_request"
EVEN = (1.0, 1.004, 0.996, 1.002, 0.998, 1.0)
SCENARIOS = ("ping", "item-read")


def launched(dearer: float, launches: Sequence[float] = EVEN) -> list[Piece]:
    """A, its twin (of which A costs so much more) and B, which is steady, in two scenarios."""
    return [
        Piece(name, scenario=scenario, round=number, cpu_us=cpu_us)
        for scenario in SCENARIOS
        for number, launch in enumerate(launches)
        for name, cpu_us in ((A, 100.0 * dearer * launch), (TWIN, 100.0), (B, 100.0))
    ]


def summary_of(pieces: Sequence[Piece]) -> Summary:
    run = run_of(A, B, TWIN, scenarios=SCENARIOS, twins={TWIN: A})
    return summarise(digested(samples_of(*pieces)), run)


def pooled(summary: Summary, metric: str = CPU) -> AaRatio:
    (one,) = (one for one in summary.noise.aa if (one.metric, one.scenario) == (metric, ""))
    return one


def reach(summary: Summary, metric: str = CPU) -> float:
    (one,) = (c for c in summary.comparisons if (c.scenario, c.metric) == ("ping", metric))
    assert one.low
    assert one.high
    return log(one.high / one.low) / 2


def test_twins_are_compared_over_all_scenarios_and_in_each() -> None:
    summary = summary_of(launched(1.0))

    assert pooled(summary).ratio == pytest.approx(1, abs=0.001)
    assert {one.scenario for one in summary.noise.aa if one.metric == CPU} == {"", *SCENARIOS}
    assert not pooled(summary).failed
    assert summary.noise.bias == {}


def test_a_round_of_all_scenarios_is_the_mean_of_their_log_ratios() -> None:
    pieces = [
        replace(one, cpu_us=121.0) if (one.contestant, one.scenario) == (A, "ping") else one
        for one in launched(1.0, (1.0, 1.0, 1.0))
    ]

    assert pooled(summary_of(pieces)).ratio == pytest.approx(1.1)


def test_a_systematic_difference_is_found_and_joins_every_interval_of_its_metric() -> None:
    sound, dear = summary_of(launched(1.0)), summary_of(launched(1.02))

    assert pooled(dear).failed
    assert dear.noise.bias == pytest.approx({CPU: 0.02}, abs=1e-4)
    assert reach(dear) == pytest.approx(hypot(reach(sound), log(1.02)), rel=0.01)
    assert reach(dear, "throughput_rps") == reach(sound, "throughput_rps")


def test_cells_are_widened_as_well() -> None:
    def interval(summary: Summary) -> tuple[float, float]:
        (one,) = (
            c for c in summary.cells if (c.scenario, c.contestant, c.metric) == ("ping", "fastapi", CPU)
        )
        return one.low or 0, one.high or 0

    assert interval(summary_of(launched(1.0))) == pytest.approx((100, 100))
    assert interval(summary_of(launched(1.02))) == pytest.approx((100 / 1.02, 100 * 1.02), rel=1e-3)


def test_a_winner_by_less_than_the_systematic_error_is_none() -> None:
    def verdict(pieces: Sequence[Piece]) -> str:
        (one,) = (c for c in summary_of(pieces).comparisons if (c.scenario, c.metric) == ("ping", CPU))
        return one.verdict

    alone = [one for one in launched(1.10) if one.contestant != TWIN]

    assert verdict(launched(1.10)) == "inconclusive"
    assert verdict(alone) == "b_better"


def test_a_contestants_block_is_the_geometric_mean_of_its_launches() -> None:
    pieces = [
        Piece(name, round=number, cpu_us=cpu_us)
        for number in range(3)
        for name, cpu_us in ((A, 80.0), (TWIN, 125.0), (B, 200.0))
    ]
    summary = summarise(digested(samples_of(*pieces)), run_of(A, B, TWIN, twins={TWIN: A}))

    (ratio,) = (c.ratio for c in summary.comparisons if c.metric == CPU)
    values = {cell.contestant: cell.value for cell in summary.cells if cell.metric == CPU}
    assert ratio == pytest.approx(0.5)
    assert values == pytest.approx({A: 100, TWIN: 125, B: 200})


def test_a_launch_that_is_missing_in_a_block_leaves_the_other() -> None:
    pieces = [
        Piece(name, round=number, cpu_us=100.0)
        for number in range(3)
        for name in ((A, B) if number == 0 else (A, TWIN, B))
    ]
    summary = summarise(digested(samples_of(*pieces)), run_of(A, B, TWIN, twins={TWIN: A}))

    (one,) = (c for c in summary.comparisons if c.metric == CPU)
    assert one.ratio == pytest.approx(1)
    assert one.rounds == 3
