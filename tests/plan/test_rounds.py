"""Where on the way to its next full garbage collection a launch begins."""

import numpy as np

from loadtests.config.contestants import twin_name
from loadtests.plan.rounds import collector_share


def shares(seed: int, rounds: int) -> list[float]:
    names = ("flask-gthread", twin_name("flask-gthread"))
    return [collector_share(seed, index, name) for index in range(rounds) for name in names]


def test_a_second_launch_is_half_the_way_apart() -> None:
    own, twin = shares(7, 1)

    assert abs(own - twin) == 0.5


def test_each_share_may_be_any_and_those_of_a_run_lie_evenly() -> None:
    firsts = np.array([collector_share(seed, 3, "fastapi-uvicorn") for seed in range(2000)])
    gaps = np.diff(sorted(shares(7, 8)))

    assert np.abs(np.quantile(firsts, [0.1, 0.5, 0.9]) - [0.1, 0.5, 0.9]).max() < 0.05
    assert gaps.max() < 3 / 16


def test_as_many_pauses_fall_into_few_rounds_as_into_a_long_run() -> None:
    """A window of 0.7 of the way between two pauses has 0.7 pauses, within one in all of the 16 launches."""
    pauses = [sum(int(0.7 + share) for share in shares(seed, 8)) for seed in range(200)]

    assert np.abs(np.array(pauses) - 0.7 * 16).max() < 2
    assert abs(np.mean(pauses) - 0.7 * 16) < 0.1


def test_contestants_do_not_pause_together() -> None:
    assert collector_share(7, 0, "flask-gthread") != collector_share(7, 0, "fastapi-uvicorn")
