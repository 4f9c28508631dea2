"""The intervals hold what they say: simulated runs whose true ratio is known (see loadtests/analysis/simulate.py)."""

from math import sqrt

import numpy as np
import pytest
from scipy.stats import t as student

from loadtests.analysis.estimates import FloatArray, holm_confidences, paired_ratio
from loadtests.analysis.simulate import NoiseModel, coverage, drawn, intervals

RUNS = 10_000  # the share of a true 95 % is then within 94.3 to 95.7 %, three standard errors
BLOCK = 0.10
MEASURED = [
    pytest.param(NoiseModel(0.0, 0.17), id="flask-gthread"),
    pytest.param(NoiseModel(0.029, 0.15, 0.054), id="fastapi-uvicorn"),
]
"""The noise of CPU time per request on a 2-CPU virtual machine, as a selftest found it there (docs/method.md)."""


def p_values_of(logs: FloatArray) -> FloatArray:
    """Of logs with the last axes rounds and blocks: the two-sided p-value of a ratio of 1."""
    medians = np.median(logs, axis=-1)
    rounds = medians.shape[-1]
    scores = np.abs(medians.mean(axis=-1)) / (medians.std(axis=-1, ddof=1) / sqrt(rounds))
    p_values: FloatArray = 2 * student.sf(scores, rounds - 1)
    return p_values


@pytest.mark.parametrize("rounds", [3, 7, 20])
def test_the_formula_used_here_is_the_one_that_is_used_on_runs(rounds: int) -> None:
    logs = drawn(np.random.default_rng(1), 50, rounds, 4, NoiseModel(0.02, BLOCK))

    for confidence in (0.95, 0.999):
        low, high = intervals(logs, confidence)
        judged = np.array([paired_ratio(list(run)).interval(confidence) for run in logs], dtype=np.float64)
        np.testing.assert_allclose(np.exp([low, high]).T, judged, rtol=1e-12)


@pytest.mark.parametrize("launch", [0.02, 0.06])
@pytest.mark.parametrize("blocks", [1, 4, 28])
@pytest.mark.parametrize("rounds", [3, 7, 20])
def test_an_interval_of_95_percent_covers_95_percent(rounds: int, blocks: int, launch: float) -> None:
    rng = np.random.default_rng((2, rounds, blocks))

    covered = coverage(drawn(rng, RUNS, rounds, blocks, NoiseModel(launch, BLOCK)))

    assert 0.93 <= covered <= 0.97


@pytest.mark.parametrize("rounds", [3, 7, 20])
def test_it_does_so_when_disturbances_last_longer_than_a_block(rounds: int) -> None:
    rng = np.random.default_rng((3, rounds))

    covered = coverage(drawn(rng, RUNS, rounds, 28, NoiseModel(0.02, BLOCK, correlation=0.5)))

    assert 0.93 <= covered <= 0.97


@pytest.mark.parametrize("noise", MEASURED)
@pytest.mark.parametrize("blocks", [8, 25])
@pytest.mark.parametrize("rounds", [3, 6, 20])
def test_it_does_so_with_noise_as_it_was_measured(rounds: int, blocks: int, noise: NoiseModel) -> None:
    rng = np.random.default_rng((7, rounds, blocks))

    covered = coverage(drawn(rng, RUNS, rounds, blocks, noise))

    assert 0.93 <= covered <= 0.97


def test_blocks_taken_for_observations_would_not_cover() -> None:
    """Why rounds are what counts; and that this simulation can tell."""
    logs = drawn(np.random.default_rng(4), RUNS, 7, 28, NoiseModel(0.02, BLOCK))

    assert coverage(logs.reshape(RUNS, 7 * 28, 1)) < 0.90


def test_drawn_runs_are_as_noisy_as_they_are_meant_to_be() -> None:
    """By the moments of a one-way layout (Searle, Casella and McCulloch 1992, 3.5)."""
    noise = NoiseModel(0.03, 0.06, correlation=0.4)
    (run,) = drawn(np.random.default_rng(9), 1, 400, 60, noise)

    means, within = run.mean(axis=1), float(run.var(axis=1, ddof=1).mean())
    centred = run - means[:, None]
    found_correlation = float(np.sum(centred[:, 1:] * centred[:, :-1]) / np.sum(centred**2))

    assert sqrt(means.var(ddof=1) - within / 60) == pytest.approx(noise.launch, rel=0.15)
    assert sqrt(within) == pytest.approx(noise.block, rel=0.15)
    assert found_correlation == pytest.approx(noise.correlation, abs=0.08)


def test_twelve_comparisons_of_equals_name_a_winner_in_one_run_of_twenty_at_most() -> None:
    rng = np.random.default_rng(5)
    logs = rng.normal(0, 0.02, (RUNS, 12, 7, 1)) + 0.06 * rng.standard_t(3, (RUNS, 12, 7, 4))

    p_values = p_values_of(logs)
    named = np.mean([_any_winner(run) for run in p_values])

    assert 0.03 < named <= 0.05 + 3 * sqrt(0.05 * 0.95 / RUNS)
    assert np.mean(p_values.min(axis=1) < 0.05) > 0.40  # without Holm: nearly every second run


def test_the_p_values_used_here_are_those_that_are_used_on_runs() -> None:
    logs = drawn(np.random.default_rng(6), 50, 7, 4, NoiseModel(0.02, BLOCK))

    judged = [paired_ratio(list(run)).log.p_value for run in logs]

    np.testing.assert_allclose(p_values_of(logs), np.array(judged, dtype=np.float64), rtol=1e-9)


def _any_winner(p_values: FloatArray) -> bool:
    """Whether an interval at its Holm confidence leaves out a ratio of 1: as judged, its p-value is below."""
    levels = holm_confidences(list(p_values))
    return any(p_value < 1 - level for p_value, level in zip(p_values, levels, strict=True))
