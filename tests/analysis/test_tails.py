"""Pooled percentiles: a few requests worked out by hand, and simulated servers whose true tail is known."""

from dataclasses import replace
from math import exp, log

import numpy as np
import polars as pl
import pytest

from loadtests.analysis.digest import merge
from loadtests.analysis.histograms import pooled_ms
from loadtests.analysis.tails import Tails, latency, percentile_ratio, tails_in
from tests.support.frames import SCENARIO, A, B, Piece, digested, rounds_of, samples_of
from tests.support.latencies import digest_of, pausing_ms

TWIN = f"{A}#2"
ROUNDS = 8


def value(tails: Tails, metric: str, *launches: str) -> float | None:
    return latency(tails, SCENARIO, metric, launches or (A,)).value


def three_digits(wanted: float) -> object:
    return pytest.approx(wanted, rel=1e-3)


def opened(service_ms: float, requests: int, round_: int = 0, name: str = A) -> Piece:
    return Piece(name, mode="open", requests=requests, service_ms=service_ms, round=round_)


def test_a_percentile_is_that_of_all_requests_where_an_average_over_rounds_loses_the_pauses() -> None:
    """Three rounds of eight have a pause, which 40 of their 1,000 requests meet: 1.5 % of all."""
    quiet, paused = np.full(1000, 5.0), np.r_[np.full(960, 5.0), np.linspace(80.0, 95.0, 40)]
    times = {(number, A): paused if number < 3 else quiet for number in range(ROUNDS)}
    digest = digest_of(times)

    of_rounds = [pooled_ms(rows, "response", 0.99) or 0.0 for rows in digest.pools.partition_by("round")]
    assert exp(np.mean(np.log(of_rounds))) == pytest.approx(15, abs=0.5)  # as it was published before
    assert value(tails_in(digest, seed=0), "response_p99_ms") == pytest.approx(85, abs=0.5)


def test_original_and_twin_are_pooled_and_apart_where_asked() -> None:
    digest = digested(samples_of(opened(1.0, 60), opened(9.0, 60, name=TWIN)))
    tails = tails_in(digest, seed=0)

    assert value(tails, "service_p50_ms", A) == three_digits(1.0)
    assert value(tails, "service_p50_ms", TWIN) == three_digits(9.0)
    assert latency(tails, SCENARIO, "service_p95_ms", (A, TWIN)).value == three_digits(9.0)
    assert latency(tails, SCENARIO, "service_p50_ms", (A, TWIN)).slices == 2


@pytest.mark.parametrize(("name", "needed"), [("p50", 10), ("p95", 100), ("p99", 500), ("p999", 5000)])
def test_a_percentile_needs_five_requests_beyond_it_over_all_rounds(name: str, needed: int) -> None:
    def shown(requests: int) -> float | None:
        halves = {(0, A): np.full(requests // 2, 2.0), (1, A): np.full(requests - requests // 2, 2.0)}
        return value(tails_in(digest_of(halves), seed=0), f"response_{name}_ms")

    assert shown(needed) == three_digits(2.0)
    assert shown(needed - 1) is None


@pytest.mark.parametrize(("planned", "shown"), [(500, True), (499, False)])
def test_planned_requests_decide_whether_a_percentile_is_shown_not_answers(planned: int, shown: bool) -> None:
    """A server that answers fewer of the long ones would else choose its own percentiles."""
    few = tails_in(digest_of({(0, A): np.full(300, 2.0)}, planned=planned), seed=0)

    found = latency(few, SCENARIO, "response_p99_ms", (A,))
    assert (found.value is not None) == shown
    assert found.reasons == (() if shown else ("not measured: 499 requests planned, 500 needed",))


def test_a_run_that_planned_a_time_is_shown_what_was_due_in_it() -> None:
    """Version 0.2 and before: 500 requests/s for 0.02 s."""
    digest = digest_of({(0, A): np.full(4, 2.0)})
    old = digest.slices.with_columns(
        planned_requests=pl.lit(None, pl.Int32), start_ns=pl.lit(0), stop_ns=pl.lit(20_000_000)
    )

    assert value(tails_in(replace(digest, slices=old), seed=0), "response_p50_ms") == three_digits(2.0)


def test_response_time_counts_from_when_a_request_was_due_service_time_from_when_it_was_sent() -> None:
    tails = tails_in(digested(samples_of(replace(opened(3.0, 20), lag_ms=4.0))), seed=0)

    assert value(tails, "service_p50_ms") == three_digits(3.0)
    assert value(tails, "response_p50_ms") == three_digits(7.0)


def test_percentiles_are_those_of_the_pool_not_means_over_slices() -> None:
    tails = tails_in(digested(samples_of(opened(1.0, 90), opened(9.0, 60))), seed=0)

    assert value(tails, "service_p50_ms") == three_digits(1.0)


def test_a_closed_loop_says_nothing_of_latency() -> None:
    assert tails_in(digested(samples_of(Piece(mode="closed"))), seed=0).places == []


def test_slices_that_were_set_aside_add_neither_requests_nor_plans() -> None:
    stolen = replace(opened(50.0, 60), steal=0.9)
    tails = tails_in(digested(samples_of(stolen, opened(1.0, 60))), seed=0)

    found = latency(tails, SCENARIO, "service_p50_ms", (A,))
    assert found.value == three_digits(1.0)
    assert found.slices == 1
    assert value(tails, "service_p95_ms") is None


def test_the_longest_time_is_exact_and_has_no_interval() -> None:
    times = {(number, A): np.array([1.0, 2.0, 86.1234 + number]) for number in range(3)}

    found = latency(tails_in(digest_of(times), seed=0), SCENARIO, "response_max_ms", (A,))

    assert found.value == pytest.approx(88.1234)
    assert (found.low, found.high) == (None, None)


def test_failures_never_join_and_without_an_answer_nothing_is_measured() -> None:
    failed = replace(opened(900.0, 20), failed=20)
    tails = tails_in(digested(samples_of(failed)), seed=0)
    some = tails_in(digested(samples_of(failed, opened(2.0, 10))), seed=0)

    assert value(some, "response_p50_ms") == three_digits(2.0)
    assert latency(tails, SCENARIO, "response_p50_ms", (A,)).reasons == ("not measured: no answer",)
    assert latency(tails, SCENARIO, "response_max_ms", (A,)).value is None
    assert percentile_ratio(tails, SCENARIO, "response_p50_ms", (A,), (A,)) is None


def test_an_interval_needs_three_rounds() -> None:
    two, three = (
        tails_in(digested(samples_of(*rounds_of([opened(2.0, 20)], count))), seed=0) for count in (2, 3)
    )

    assert latency(two, SCENARIO, "response_p50_ms", (A,)).low is None
    found = latency(three, SCENARIO, "response_p50_ms", (A,))
    assert found.low == pytest.approx(found.high)  # the rounds are alike


def test_what_disturbs_both_in_a_round_cancels_in_their_ratio() -> None:
    rng = np.random.default_rng(3)
    times = {
        (number, name): level * own * np.exp(rng.normal(0, 0.3, 2000))
        for number, level in enumerate(np.exp(rng.normal(0, 0.5, ROUNDS)))
        for name, own in ((A, 2.0), (B, 1.0))
    }
    tails = tails_in(digest_of(times), seed=0)

    alone = latency(tails, SCENARIO, "response_p50_ms", (A,))
    both = percentile_ratio(tails, SCENARIO, "response_p50_ms", (A,), (B,))

    assert both is not None
    low, high = both.interval()
    assert alone.low
    assert alone.high
    assert low
    assert high
    assert both.value == pytest.approx(2, rel=0.05)
    assert low < 2 < high
    assert log(high / low) < log(alone.high / alone.low) / 4
    assert both.rounds == pytest.approx([2] * ROUNDS, rel=0.1)


def test_a_ratio_is_over_the_rounds_that_both_have() -> None:
    times = {(number, A): np.full(100, 2.0 if number else 50.0) for number in range(4)}
    times |= {(number, B): np.full(100, 1.0) for number in range(1, 5)}

    found = percentile_ratio(tails_in(digest_of(times), seed=0), SCENARIO, "response_p95_ms", (A,), (B,))

    assert found is not None
    assert found.value == three_digits(2.0)
    assert found.numbers == (1, 2, 3)


def test_the_same_samples_and_seed_give_the_same_interval() -> None:
    rng = np.random.default_rng(4)
    digest = digest_of({(number, A): pausing_ms(rng, 1000) for number in range(ROUNDS)})

    one, same, other = (
        latency(tails_in(digest, seed), SCENARIO, "response_p95_ms", (A,)) for seed in (1, 1, 2)
    )

    assert one == same
    assert one.value == other.value
    assert one.low != other.low


def test_rates_of_their_own_stay_apart_from_the_common_one() -> None:
    common, own = (
        digest_of({(0, A): np.full(100, time_ms)}, own_load)
        for time_ms, own_load in ((1.0, None), (9.0, 0.8))
    )
    tails = tails_in(merge([common, own]), seed=0)

    assert value(tails, "response_p95_ms") == three_digits(1.0)
    curve = tails.of(SCENARIO, (A,), "response", 0.8)
    assert curve is not None
    assert curve.figure("p95").value == three_digits(9.0)
    assert set(tails.places) == {
        (SCENARIO, A, f"{kind}_{name}_ms")
        for kind in ("response", "service")
        for name in ("p50", "p95", "p99", "p999", "max")
    }
