"""Estimates and intervals: values worked out by hand, and what must hold whatever the numbers are."""

from itertools import pairwise
from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.analysis.estimates import Ratio, estimate, geometric_interval, holm_confidences, paired_ratio

T_975_2 = 4.302653  # Student's t, 2 degrees of freedom, from a printed table

throughput = st.floats(10, 100_000)
block = st.tuples(throughput, throughput)
run = st.lists(st.lists(block, min_size=1, max_size=5), min_size=3, max_size=8)
p_value_lists = st.lists(st.floats(0, 1), min_size=1, max_size=20)

Run = list[list[tuple[float, float]]]


def ratio_of(rounds: Run) -> Ratio:
    """The ratio a / b of blocks (a, b)."""
    return paired_ratio([np.array([log(a / b) for a, b in blocks]) for blocks in rounds])


def inverse(value: float | None) -> float:
    assert value is not None
    return 1 / value


def bounds(ratio: Ratio, confidence: float = 0.95) -> tuple[float, float]:
    low, high = ratio.interval(confidence)
    assert low is not None
    assert high is not None
    return low, high


def test_an_estimate_is_the_mean_over_rounds_with_its_standard_error() -> None:
    result = estimate([1.0, 2.0, 6.0])

    assert (result.mean, result.rounds) == (3.0, 3)
    assert result.error == pytest.approx(sqrt(7 / 3))  # deviations -2 -1 3: variance 14 / 2, over 3 rounds


def test_the_interval_is_students() -> None:
    low, high = estimate([1.0, 2.0, 6.0]).interval()

    assert low == pytest.approx(3 - T_975_2 * sqrt(7 / 3), rel=1e-6)
    assert high == pytest.approx(3 + T_975_2 * sqrt(7 / 3), rel=1e-6)


def test_the_p_value_is_students() -> None:
    result = estimate([0.0, 1.0, 2.0])  # mean 1, error 1 / sqrt(3): t = sqrt(3), 2 degrees of freedom

    assert result.p_value == pytest.approx(1 - sqrt(3 / 5))  # P(|t| > x) = 1 - x / sqrt(2 + x**2)


def test_two_rounds_give_a_value_and_neither_interval_nor_p_value() -> None:
    ratio = paired_ratio([np.array([log(2)]), np.array([log(8)])])

    assert ratio.value == pytest.approx(4)
    assert ratio.interval() == (None, None)
    assert ratio.log.p_value is None


def test_no_rounds_give_no_estimate() -> None:
    with pytest.raises(ValueError, match="at least one round"):
        estimate([])


@pytest.mark.parametrize(("value", "p_value"), [(0.0, 1.0), (0.25, 0.0)])
def test_rounds_without_any_spread_are_certain(value: float, p_value: float) -> None:
    result = estimate([value] * 4)

    assert result.interval() == (value, value)
    assert result.p_value == p_value


def test_a_ratio_is_the_mean_over_rounds_of_each_rounds_median_log() -> None:
    rounds = [np.log([2.0, 2.0, 90.0]), np.log([4.0, 4.0]), np.log([8.0, 0.1, 8.0])]

    ratio = paired_ratio(rounds)

    assert ratio.value == pytest.approx(4)  # geometric mean of 2, 4 and 8
    assert ratio.rounds == pytest.approx((2, 4, 8))
    assert ratio.blocks == 8
    assert bounds(ratio)[1] == pytest.approx(4 * exp(T_975_2 * log(2) / sqrt(3)), rel=1e-6)


def test_a_geometric_mean_has_the_interval_of_its_logarithms() -> None:
    value, low, high = geometric_interval([2.0, 4.0, 8.0])

    assert value == pytest.approx(4)
    assert high == pytest.approx(4 * exp(T_975_2 * log(2) / sqrt(3)), rel=1e-6)
    assert low == pytest.approx(16 / high if high else None)


@given(run)
def test_swapping_the_two_inverts_ratio_and_interval(rounds: Run) -> None:
    there, back = ratio_of(rounds), ratio_of([[(b, a) for a, b in blocks] for blocks in rounds])

    assert back.value == pytest.approx(1 / there.value)
    assert back.interval() == pytest.approx(tuple(map(inverse, reversed(there.interval()))))


@given(run, st.floats(0.01, 100))
def test_a_machine_that_is_faster_for_both_changes_nothing(rounds: Run, factor: float) -> None:
    scaled = [[(a * factor, b * factor) for a, b in blocks] for blocks in rounds]

    assert ratio_of(scaled).interval() == pytest.approx(ratio_of(rounds).interval(), rel=1e-6)


@given(run)
def test_the_order_of_rounds_and_blocks_does_not_matter(rounds: Run) -> None:
    ordered = sorted(sorted(blocks) for blocks in rounds)

    assert ratio_of(ordered).interval() == pytest.approx(ratio_of(rounds).interval(), rel=1e-6)


@given(run, st.floats(0.5, 0.99), st.floats(0.0001, 0.009))
def test_more_confidence_needs_a_wider_interval(rounds: Run, confidence: float, more: float) -> None:
    narrow, wide = (bounds(ratio_of(rounds), level) for level in (confidence, confidence + more))

    assert wide[0] <= narrow[0] <= narrow[1] <= wide[1]


@given(run)
def test_the_value_lies_within_its_interval_and_among_its_rounds(rounds: Run) -> None:
    ratio = ratio_of(rounds)
    low, high = bounds(ratio)

    assert low <= ratio.value * (1 + 1e-9)
    assert ratio.value <= high * (1 + 1e-9)
    assert min(ratio.rounds) <= ratio.value * (1 + 1e-9)
    assert ratio.value <= max(ratio.rounds) * (1 + 1e-9)


def test_holm_by_hand() -> None:
    """0.01 < 0.05 / 4 and 0.013 < 0.05 / 3 are rejected; 0.03 is not below 0.05 / 2, so the level stays there."""
    confidences = holm_confidences([0.03, 0.01, 0.04, 0.013])

    assert confidences == pytest.approx((1 - 0.05 / 2, 1 - 0.05 / 4, 1 - 0.05 / 2, 1 - 0.05 / 3))


def test_holm_stops_at_the_first_that_is_not_rejected() -> None:
    """0.04 is below its own 0.05 / 1, but 0.03 before it was not below 0.05 / 2."""
    assert holm_confidences([0.03, 0.04]) == pytest.approx((0.975, 0.975))


def test_holm_of_one_is_the_plain_interval_and_of_none_nothing() -> None:
    assert holm_confidences([0.2]) == pytest.approx((0.95,))
    assert holm_confidences([]) == ()


@given(p_value_lists)
def test_holm_lies_between_the_plain_interval_and_bonferronis(p_values: list[float]) -> None:
    bonferroni = 1 - 0.05 / len(p_values)

    assert all(0.95 - 1e-12 <= one <= bonferroni + 1e-12 for one in holm_confidences(p_values))


@given(p_value_lists)
def test_the_smaller_a_p_value_the_stricter_its_interval(p_values: list[float]) -> None:
    levels = holm_confidences(p_values)

    by_p_value = [level for _, level in sorted(zip(p_values, levels, strict=True), key=lambda one: one[0])]
    assert all(first >= second for first, second in pairwise(by_p_value))


@given(run)
def test_an_interval_leaves_out_equality_exactly_when_its_p_value_is_below_the_level(rounds: Run) -> None:
    ratio = ratio_of(rounds)
    p_value = ratio.log.p_value
    assert p_value is not None

    for confidence in (0.9, 0.95, 0.999):
        low, high = ratio.log.interval(confidence)
        assert low is not None
        assert high is not None
        if abs(p_value - (1 - confidence)) > 1e-6:
            assert (low > 0 or high < 0) == (p_value < 1 - confidence)
