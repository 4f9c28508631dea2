"""Simulated runs whose true ratio is known: how often the intervals contain it. Pure.

A run is drawn as one array of log ratios, shape (rounds, blocks): a launch shifts all blocks of its round, every block
has its own noise, heavy-tailed (Student's t with 3 degrees of freedom) and correlated with the block before it.
`simulate_pauses` draws the costs themselves, with pauses in them.
"""

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy.random import Generator
from scipy.signal import lfilter

from loadtests.analysis.estimates import FloatArray, standard_error, t_quantile

TRUTH = log(1.2)
TAIL_DEGREES = 3


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """Standard deviations of log ratios between launches and between blocks, and the lag-1 correlation of blocks."""

    launch: float
    block: float
    correlation: float = 0.0


def drawn(rng: Generator, runs: int, rounds: int, blocks: int, noise: NoiseModel) -> FloatArray:
    """Log ratios of many runs around TRUTH, shape (runs, rounds, blocks); the blocks' noise is AR(1)."""
    own = rng.standard_t(TAIL_DEGREES, (runs, rounds, blocks)) * noise.block / sqrt(TAIL_DEGREES)
    own[..., 1:] *= sqrt(1 - noise.correlation**2)
    launches = rng.normal(TRUTH, noise.launch, (runs, rounds, 1))
    logs: FloatArray = launches + lfilter([1.0], [1.0, -noise.correlation], own, axis=-1)
    return logs


def intervals(logs: FloatArray, confidence: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Low and high log ratio of every run at once: `estimates.paired_ratio` without the loop over runs."""
    return spans(np.median(logs, axis=2), confidence)


def spans(rounds: FloatArray, confidence: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Low and high of every run at once, from one value per round, shape (runs, rounds)."""
    reach = t_quantile(confidence, rounds.shape[1] - 1) * standard_error(rounds)
    mean = rounds.mean(axis=1)
    return mean - reach, mean + reach


def coverage(logs: FloatArray) -> float:
    """The share of runs whose 95 % interval holds TRUTH."""
    low, high = intervals(logs)
    return float(np.mean((low <= TRUTH) & (high >= TRUTH)))
