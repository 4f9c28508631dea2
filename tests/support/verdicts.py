"""Runs whose verdict is known, and where to find it in a summary."""

from collections.abc import Sequence
from typing import Any

from loadtests.analysis.summary import Cell, Comparison, Summary
from loadtests.analysis.verdict import summarise
from tests.support.frames import SCENARIO, A, B, Piece, digested, run_of, samples_of

STEADY = (0.99, 1.0, 1.01, 1.0, 0.995)  # a launch differs from the next by half a percent


def versus(times_faster: float, launches: Sequence[float] = STEADY, **changes: Any) -> list[Piece]:
    """Closed rounds in which A answers so many times faster than B and needs as much less CPU time."""
    return [
        Piece(name, round=number, service_ms=service_ms, cpu_us=100 * service_ms, **changes)
        for number, launch in enumerate(launches)
        for name, service_ms in ((A, 1.0), (B, times_faster * launch))
    ]


def verdict_on(metric: str, pieces: Sequence[Piece], **run: Any) -> Comparison:
    return comparison_in(summarise(digested(samples_of(*pieces)), run_of(**run)), metric)


def comparison_in(summary: Summary, metric: str, scenario: str = SCENARIO) -> Comparison:
    (one,) = (c for c in summary.comparisons if (c.scenario, c.metric) == (scenario, metric))
    return one


def cell_in(summary: Summary, contestant: str, metric: str) -> Cell:
    (one,) = (c for c in summary.cells if (c.contestant, c.metric) == (contestant, metric))
    return one
