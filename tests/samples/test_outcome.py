"""What a step showed: response times, failures, throughput, and what the generator did to it."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from loadtests.samples.outcome import ANSWERS_NEEDED, Outcome, lags_ns, outcome_of
from loadtests.samples.store import Failure
from tests.support.frames import MS
from tests.support.steps import facts_of, requests_of


def seen(requests: pl.DataFrame, generator_cpu_ns: int = 0) -> Outcome:
    return outcome_of(requests, facts_of(requests, generator_cpu_ns))


def test_response_times_count_from_when_a_request_was_due() -> None:
    found = seen(requests_of([10.0] * 600, lag_ms=4.0))

    assert (found.p50_ms, found.p99_ms, found.mean_ms) == pytest.approx((10.0, 10.0, 10.0))
    assert found.lag_ms == pytest.approx(4.0)
    assert (found.answered, found.failed, found.error_percent) == (600, 0, 0.0)


def test_failures_are_counted_and_never_join_the_times() -> None:
    found = seen(requests_of([9_000.0] * 6 + [10.0] * 594, failures=[Failure.TIMEOUT] * 6))

    assert found.p99_ms == pytest.approx(10.0)
    assert (found.answered, found.failed, found.error_percent) == (594, 6, 1.0)


def test_a_p99_needs_five_hundred_answers() -> None:
    assert seen(requests_of([1.0] * (ANSWERS_NEEDED - 1))).p99_ms is None
    assert seen(requests_of([1.0] * ANSWERS_NEEDED)).p99_ms == pytest.approx(1.0)


def test_a_step_without_requests_has_only_failed() -> None:
    found = seen(requests_of([]))

    assert (found.answered, found.throughput_rps, found.error_percent) == (0, 0.0, 100.0)


def test_throughput_and_the_generators_share_are_those_of_the_slice() -> None:
    found = seen(requests_of([1.0] * 1000), generator_cpu_ns=500 * MS)

    assert found.throughput_rps == pytest.approx(1000, rel=0.001)
    assert found.generator_percent == pytest.approx(50, rel=0.001)


def test_the_servers_pauses_are_those_of_the_slice() -> None:
    for requests in (requests_of([1.0] * 10), requests_of([])):
        assert outcome_of(requests, replace(facts_of(requests), gen2_count=4)).pauses == 4
        assert seen(requests).pauses is None


def test_a_request_that_waits_for_a_free_user_is_not_the_generators_lag() -> None:
    """One user, answers take 5 ms, requests fall due every ms: each is sent when the one before is answered."""
    due = np.arange(10) * MS
    sent = np.arange(10) * 5 * MS
    frame = pl.DataFrame({"due_ns": due, "sent_ns": sent, "end_ns": sent + 5 * MS})

    assert lags_ns(frame, users=1).tolist() == [0] * 10
    assert lags_ns(frame, users=10).tolist() == (sent - due).tolist()
