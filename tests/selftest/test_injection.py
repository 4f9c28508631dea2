"""Made slower by a known share: intervals that miss the truth, and differences found too late, fail the check."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from loadtests.analysis.digest import Digest
from loadtests.analysis.estimates import Ratio, ratio_of
from loadtests.selftest import injection
from loadtests.selftest.burning import Stamp
from loadtests.selftest.injection import Found
from loadtests.selftest.records import Check
from tests.support.frames import Piece, digested, samples_of

SEEN = Found("an-app", seen=True, seconds=60.0, needed_s=30.0)


INJECTED = injection.Row(
    "an-app", 5.0, 5.0, 1, 1.05, 1.04, 1.06, 1.05, 1.0, 1.1, contains_truth=True, found=True
)


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


def measured(factor: float) -> Digest:
    """Rounds in which the copy costs so many times as much, give or take 1 %."""
    pieces = [
        Piece(name, scenario="ping", round=number, block=block, cpu_us=cost)
        for number, wobble in enumerate((0.99, 1.0, 1.01, 1.0))
        for block in range(2)
        for name, cost in (("base", 100.0), ("plus-5", 100.0 * factor * wobble))
    ]
    return digested(samples_of(*pieces))


def stamped(factors: Sequence[float]) -> list[dict[str, Stamp]]:
    return [{"base": Stamp(10, 0, 1000), "plus-5": Stamp(10, 50, round(1000 * one))} for one in factors]


@pytest.mark.parametrize(("factor", "contains"), [(1.06, True), (1.20, False)])
def test_rounds_that_are_judged_are_held_against_the_truth_of_other_rounds(
    factor: float, contains: bool
) -> None:
    repeat = injection.Repeat("an-app", 0, measured(factor), stamped([1.06, 1.07, 1.05, 1.06]))

    (row,) = injection.rows_of([repeat], (5.0,))

    assert row.ratio == pytest.approx(factor, rel=0.01)
    assert row.true_ratio == pytest.approx(1.06, rel=0.001)
    assert row.burnt_percent == pytest.approx(5.0)
    assert row.contains_truth == contains


def of_rounds(*logs: float) -> Ratio:
    return ratio_of(dict(enumerate(logs)), len(logs))


def test_the_uncertainty_of_the_truth_counts() -> None:
    judged, certain = of_rounds(0.049, 0.05, 0.051), of_rounds(0.0599, 0.06, 0.0601)
    uncertain = of_rounds(0.05, 0.06, 0.07)

    assert not injection.agrees(judged, certain)
    assert injection.agrees(judged, uncertain)
