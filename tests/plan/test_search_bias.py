"""Is the capacity that is found the rate at which a step passes with even odds? Simulated, for both rules."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.random import Generator

from loadtests.plan.search import Search, Step
from loadtests.plan.search_procedure import OngoingSearch
from loadtests.samples.outcome import ANSWERS_NEEDED, Outcome

SEARCH = Search("item-read", "flask", slo_ms=50.0, seed=7, rule="two of three", pauses=3)
OLD = replace(SEARCH, rule="second try", pauses=0)
THROUGHPUT_RPS = 1000.0
SERVERS = 1200
STEEPNESS = 8  # p99 grows with this power of the rate
PAUSE_S, BETWEEN_PAUSES = 0.075, 1400  # FastAPI on uvicorn, item-read


def outcome(p99_ms: float, answered: int = ANSWERS_NEEDED, pauses: int | None = None) -> Outcome:
    times_ms = (p99_ms, p99_ms, p99_ms, p99_ms)
    return Outcome(answered, 0, THROUGHPUT_RPS, *times_ms, lag_ms=0.1, pauses=pauses)


def found(search: Search, serve: Callable[[Step], Outcome]) -> float:
    """The capacity; NaN without one."""
    ongoing = OngoingSearch(search)
    while ongoing.step is not None:
        ongoing.learn(serve(ongoing.step))
    assert ongoing.result is not None
    return ongoing.result.capacity_rps or float("nan")


def noisy(crossing_rps: float, noise: float, rng: Generator) -> Callable[[Step], Outcome]:
    """A server whose p99 crosses the SLO at that rate; each step's p99 is off by lognormal noise of median 1."""

    def serve(step: Step) -> Outcome:
        load = (step.rate_rps or 1.0) / crossing_rps
        return outcome(SEARCH.slo_ms * load**STEEPNESS * np.exp(rng.normal(0, noise)))

    return serve


def bias_percent(search: Search, noise: float) -> float:
    """How far the median found rate lies above the one at which a step passes with even odds."""
    rng = np.random.default_rng(1)
    crossings = THROUGHPUT_RPS * np.exp(rng.uniform(np.log(0.3), 0, SERVERS))
    logs = [np.log(found(search, noisy(one, noise, rng)) / one) for one in crossings]
    assert not np.isnan(logs).any()
    return float(100 * np.expm1(np.median(logs)))


@pytest.mark.parametrize("noise", [0.1, 0.2, 0.4, 0.8])
def test_by_two_of_three_the_capacity_is_where_a_step_passes_with_even_odds(noise: float) -> None:
    assert abs(bias_percent(SEARCH, noise)) < 0.5


@pytest.mark.parametrize(("noise", "percent"), [(0.2, 0.5), (0.4, 1.5), (0.8, 4.0)])
def test_by_the_second_try_it_is_too_high(noise: float, percent: float) -> None:
    assert bias_percent(OLD, noise) > percent


def pausing(rng: Generator, *, tells: bool) -> Callable[[Step], Outcome]:
    """A server that pauses after every so many requests, and is quick otherwise; whether it reports its pauses.

    Requests that fall due in a pause wait for its end: those of its first third, 25 ms, miss an SLO of 50 ms. The p99
    misses it where they are more than one in a hundred: beyond a rate of 0.01 x 1,400 / 25 ms, 560 requests/s.
    """

    def serve(step: Step) -> Outcome:
        rate_rps = step.rate_rps or THROUGHPUT_RPS
        answered = round(rate_rps * step.duration_s)
        pauses = int((answered + rng.uniform(0, BETWEEN_PAUSES)) // BETWEEN_PAUSES)
        late = pauses * (PAUSE_S - SEARCH.slo_ms / 1000) * rate_rps
        return outcome(90.0 if late > 0.01 * answered else 10.0, answered, pauses if tells else None)

    return serve


def median_found(search: Search, *, tells: bool) -> float:
    rng = np.random.default_rng(2)
    return float(np.median([found(search, pausing(rng, tells=tells)) for _ in range(300)]))


def test_steps_that_span_pauses_find_what_a_server_that_pauses_carries_in_the_long_run() -> None:
    assert median_found(SEARCH, tells=True) == pytest.approx(560, rel=0.02)


def test_steps_of_a_fixed_time_do_not() -> None:
    assert median_found(SEARCH, tells=False) < 0.75 * 560
