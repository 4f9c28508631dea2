"""Made slower by a known share: intervals that miss the truth, and differences found too late, fail the check."""

from dataclasses import replace

from loadtests.selftest import injection
from loadtests.selftest.injection import Found
from loadtests.selftest.records import Check

SEEN = Found("an-app", seen=True, seconds=60.0, needed_s=30.0)


INJECTED = injection.Row("an-app", 5.0, 5.0, 1, 1.05, 1.05, 1.0, 1.1, contains_truth=True, found=True)


def injected(*truths: bool, found: Found = SEEN) -> Check:
    return injection.judged([replace(INJECTED, contains_truth=one) for one in truths], [found])


def test_intervals_that_miss_the_truth_too_often_fail_the_check() -> None:
    assert injected(*[True] * 38, False, False).ok
    assert not injected(*[True] * 30, *[False] * 10).ok


def test_five_percent_that_would_take_too_long_to_find_fail_the_check() -> None:
    soon, late = (replace(SEEN, seen=False, needed_s=needed_s) for needed_s in (600.0, 2000.0))

    assert injected(*[True] * 40, found=soon).ok
    assert not injected(*[True] * 40, found=late).ok
    assert "5 % in an-app: not found in 60 s of load, 600 s would do" in injected(True, found=soon).summary
