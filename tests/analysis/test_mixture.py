"""One group of launches, or two."""

import numpy as np
import pytest

from loadtests.analysis.mixture import FEWEST, two_groups

RNG_SEEDS = range(200)


def drawn(
    seed: int, size: int, share: float = 0.0, extra: float = 0.0
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    rng = np.random.default_rng(seed)
    return rng.normal(0.3, 0.015, size) + extra * (rng.random(size) < share)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_two_groups_are_found_with_their_share_and_distance(share: float) -> None:
    found = two_groups(drawn(1, 400, share, extra=0.08))

    assert found is not None
    assert found.share == pytest.approx(share, abs=0.06)
    assert found.extra == pytest.approx(0.08, abs=0.005)
    assert found.spread == pytest.approx(0.015, abs=0.002)


def test_a_fifth_of_few_launches_that_cost_eight_percent_more_is_seldom_missed() -> None:
    found = [two_groups(drawn(seed, 32, 0.2, extra=0.08)) for seed in RNG_SEEDS]

    assert sum(one is not None for one in found) >= 0.9 * len(found)


def test_one_group_is_seldom_taken_for_two() -> None:
    found = [two_groups(drawn(seed, 64)) for seed in RNG_SEEDS]

    assert sum(one is not None for one in found) <= 0.06 * len(found)


def test_nothing_is_said_of_few_values_or_equal_ones() -> None:
    assert two_groups(drawn(1, FEWEST - 1, 0.5, extra=1.0)) is None
    assert two_groups(np.ones(20)) is None
