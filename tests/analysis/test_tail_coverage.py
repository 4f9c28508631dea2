"""The intervals of pooled percentiles hold what they say: simulated servers that pause, whose true tail is known."""

from functools import cache
from math import sqrt

import numpy as np
import pytest

from loadtests.analysis.histograms import histogram_of
from loadtests.analysis.tails import Tails, latency, percentile_ratio, tails_in
from tests.support.frames import SCENARIO, A, B
from tests.support.latencies import digest_of, pausing_ms

RUNS = 200
SLACK = 3 * sqrt(0.95 * 0.05 / RUNS)  # three standard errors of the share of a true 95 %
REQUESTS = 4200  # three pauses a round
METRICS = {"response_p50_ms": 0.5, "response_p99_ms": 0.99}
PAUSES_MS = {A: 75.0, B: 40.0}


@cache
def truth_ms(name: str) -> dict[str, float]:
    rng = np.random.default_rng(11)
    times = np.concatenate([pausing_ms(rng, REQUESTS, pause_ms=PAUSES_MS[name]) for _ in range(1000)])
    histogram = histogram_of((times * 1e6).astype(np.int64))
    return {metric: histogram.percentile_ms(q) or 0.0 for metric, q in METRICS.items()}


def run_of(rng: np.random.Generator, rounds: int) -> Tails:
    times = {
        (number, name): pausing_ms(rng, REQUESTS, pause_ms=pause_ms)
        for number in range(rounds)
        for name, pause_ms in PAUSES_MS.items()
    }
    return tails_in(digest_of(times), seed=0)


@pytest.mark.parametrize("rounds", [8, 20])
def test_an_interval_of_95_percent_covers_95_percent(rounds: int) -> None:
    rng = np.random.default_rng((1, rounds))
    covered = {(metric, what): 0 for metric in METRICS for what in ("value", "ratio")}

    for tails in (run_of(rng, rounds) for _ in range(RUNS)):
        for metric in METRICS:
            own = latency(tails, SCENARIO, metric, (A,))
            ratio = percentile_ratio(tails, SCENARIO, metric, (A,), (B,))
            assert ratio is not None
            wanted, other = truth_ms(A)[metric], truth_ms(B)[metric]
            covered[metric, "value"] += (own.low or 0) <= wanted <= (own.high or 0)
            low, high = ratio.interval()
            covered[metric, "ratio"] += (low or 0) <= wanted / other <= (high or 0)

    assert all(abs(count / RUNS - 0.95) <= SLACK for count in covered.values()), covered
