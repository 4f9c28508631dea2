"""Where the knee of a curve is, and what the curves of several rounds say together."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.capacity.curves import Rung, curve, knee_rps, rungs
from loadtests.plan.search import Rule, Step
from loadtests.samples.outcome import ANSWERS_NEEDED, Outcome


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


@pytest.mark.parametrize(("rule", "mean_ms"), [("second try", 5.0), ("two of three", 7.0)])
def test_of_a_rung_that_was_tried_again_the_median_counts_or_the_second_try_that_decided(
    rule: Rule, mean_ms: float
) -> None:
    first = Step("rung", 100.0, 1.0, 0.2)
    trail = [
        (Step("closed", None, 1.0), outcome(9.0)),
        (first, outcome(50.0)),
        (replace(first, again=True), outcome(7.0)),
        (replace(first, again=True), outcome(5.0)),
        (Step("rung", 200.0, 1.0, 0.4), outcome(8.0, answered=20)),
        (Step("bisection", 150.0, 1.0), outcome(6.0)),
    ]

    assert [(one.fraction, one.mean_ms) for one in rungs(trail, rule)] == [(0.2, mean_ms)]


def test_a_curve_holds_the_medians_of_rungs_that_most_rounds_have() -> None:
    ladders = [[rung(0.2, rate, rate / 100)] for rate in (100.0, 110.0, 500.0)]
    ladders[0].append(rung(0.4, 200.0, 3.0))

    (point,) = curve(ladders)

    assert (point.fraction, point.rate_rps, point.p50_ms, point.rounds) == (0.2, 110.0, 1.1, 3)
