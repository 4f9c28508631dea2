"""What became of the requests of a surge, and when the server had recovered."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.capacity.overload import Overload, overload_of
from loadtests.samples.store import Failure
from tests.support.steps import START_NS, requests_of


def surge_of(times_ms: Sequence[float], failures: Sequence[Failure] = ()) -> Overload:
    """A request a millisecond; the overload lasts half a second."""
    found = overload_of(requests_of(times_ms, failures=failures), START_NS, 0.5, 50.0)
    assert found is not None
    return found


def test_every_request_of_an_overload_is_accounted_for_once() -> None:
    kinds = [Failure.TIMEOUT] * 50 + [Failure.STATUS] * 30 + [Failure.RESET] * 10 + [Failure.CONNECT] * 10
    kinds += [Failure.BODY] * 3 + [Failure.MALFORMED] * 2
    found = surge_of([10.0] * 300 + [80.0] * 200 + [10.0] * 500, kinds)

    assert found.requests == 500
    assert found.timed_out_percent == pytest.approx(10)
    assert found.refused_percent == pytest.approx(10)
    assert found.broken_percent == pytest.approx(1)
    assert found.late_percent == pytest.approx(40)
    assert found.in_time_percent == pytest.approx(39)


@given(st.lists(st.sampled_from(list(Failure)), min_size=1, max_size=60), st.floats(0, 100))
def test_the_shares_of_an_overload_add_up(kinds: list[Failure], time_ms: float) -> None:
    found = surge_of([time_ms] * 600, kinds)
    shares = (
        found.in_time_percent,
        found.late_percent,
        found.refused_percent,
        found.timed_out_percent,
        found.broken_percent,
    )

    assert sum(shares) == pytest.approx(100)


def test_recovery_ends_with_the_first_request_from_which_on_the_slo_is_met() -> None:
    assert surge_of([400.0] * 700 + [10.0] * 800).recovery_ms == pytest.approx(200, abs=10)
    assert surge_of([400.0] * 500 + [10.0] * 800).recovery_ms == pytest.approx(0)


def test_one_late_request_in_a_hundred_does_not_put_recovery_off() -> None:
    stall = [10.0] * 400 + [90.0] * 3 + [10.0] * 397

    assert surge_of([400.0] * 700 + stall).recovery_ms == pytest.approx(200, abs=10)


def test_a_relapse_does() -> None:
    relapse = [10.0] * 200 + [90.0] * 100 + [10.0] * 500

    assert surge_of([400.0] * 700 + relapse).recovery_ms == pytest.approx(500, abs=10)


def test_failures_are_no_recovery() -> None:
    assert surge_of([10.0] * 1500, [Failure.STATUS] * 800).recovery_ms == pytest.approx(300, abs=10)


def test_what_is_late_to_the_end_has_not_recovered() -> None:
    assert surge_of([400.0] * 1300).recovery_ms is None
    assert surge_of([400.0] * 1250 + [10.0] * 50).recovery_ms is None


def test_a_surge_without_requests_is_no_overload() -> None:
    assert overload_of(requests_of([]), START_NS, 0.5, 50.0) is None
