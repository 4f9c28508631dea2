"""Estimates and intervals over rounds: arrays in, records out.

One launch of the servers is one observation, so the number of rounds, not of blocks, sets the degrees of
freedom. The estimate is the mean over rounds of each round's median log ratio: the median ignores single
disturbed blocks, the mean over launches has a standard error that holds for few rounds.

The standard error is that of a bootstrap that draws whole rounds (Davison and Hinkley 1997, section 3.8,
strategy 1: outer level with replacement, inner level kept), inflated by sqrt(n / (n - 1)) (Hesterberg 2015).
For a mean that has a closed form, the familiar s / sqrt(n), so nothing is resampled here. Drawing blocks
again within the rounds would count the noise within them twice: such 95 % intervals cover up to 99.9 %
(tests/analysis/test_coverage.py), while these cover 94 to 96 %. A median over 7 rounds would cover 98 %.
The quantile is Student's with n - 1 degrees of freedom (Efron and Tibshirani 1993, section 12.2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import exp, hypot, log, log1p, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit  # Student's distribution; scipy.stats would take a second to import

FloatArray = NDArray[np.float64]
Interval = tuple[float | None, float | None]

MIN_ROUNDS = 3
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over rounds with its standard error, None for fewer than MIN_ROUNDS rounds.

    `bias`: a systematic error known from elsewhere; it joins the interval's reach in quadrature.
    """

    mean: float
    error: float | None
    rounds: int
    bias: float = 0.0

    def interval(self, confidence: float = CONFIDENCE) -> Interval:
        """Student t interval, (None, None) without a standard error."""
        if self.error is None:
            return None, None
        reach = hypot(t_quantile(confidence, self.rounds - 1) * self.error, self.bias)
        return self.mean - reach, self.mean + reach

    @property
    def p_value(self) -> float | None:
        """Two-sided, of the hypothesis that the mean is 0; None without a standard error."""
        if self.error is None:
            return None
        beyond = sqrt(max(0.0, self.mean**2 - self.bias**2))  # what the interval's own part has to reach
        if self.error == 0:
            return float(beyond == 0)
        return float(2 * stdtr(self.rounds - 1, -beyond / self.error))


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio a / b. `log` estimates its logarithm; `rounds` holds one ratio for each of the rounds in `numbers`.

    `note`: what it lacks.
    """

    log: Estimate
    rounds: tuple[float, ...]
    blocks: int
    numbers: tuple[int, ...] = ()
    note: str = ""

    @property
    def value(self) -> float:
        """The estimate, the geometric mean of `rounds`."""
        return exp(self.log.mean)

    def interval(self, confidence: float = CONFIDENCE) -> Interval:
        """The interval of the ratio, (None, None) for fewer than MIN_ROUNDS rounds."""
        low, high = self.log.interval(confidence)
        return _exp(low), _exp(high)

    def widened(self, bias: float) -> "Ratio":
        """With a systematic error, as a fraction of the ratio, in its interval."""
        return replace(self, log=replace(self.log, bias=log1p(bias)))


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of one contestant in one scenario: `value` with its 95 % interval, from `slices` in `rounds`.

    `value` None: not measured. `reasons`: why it is None, or what it lacks.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    rounds: int = 0
    slices: int = 0
    reasons: tuple[str, ...] = ()

    def widened(self, bias: float) -> "Figure":
        """With a systematic error, as a fraction of the value, in its interval."""
        if not (bias and self.value and self.low and self.high):
            return self
        centre, extra = log(self.value), log1p(bias)
        below, above = hypot(centre - log(self.low), extra), hypot(log(self.high) - centre, extra)
        return replace(self, low=exp(centre - below), high=exp(centre + above))


def estimate(values: Sequence[float] | FloatArray) -> Estimate:
    """Mean and standard error of one value per round; ValueError without any."""
    rounds = np.asarray(values, dtype=np.float64)
    if rounds.size == 0:
        raise ValueError("an estimate needs at least one round")
    error = float(standard_error(rounds)) if rounds.size >= MIN_ROUNDS else None
    return Estimate(float(rounds.mean()), error, rounds.size)


def standard_error(rounds: FloatArray) -> FloatArray:
    """Of the mean over the last axis, two or more rounds."""
    errors: FloatArray = np.asarray(rounds.std(axis=-1, ddof=1) / sqrt(rounds.shape[-1]))
    return errors


def ratio_of(logs: Mapping[int, float], blocks: int, note: str = "") -> Ratio:
    """The ratio behind one log ratio per round: round -> log; ValueError without any."""
    values = np.array(list(logs.values()))
    return Ratio(estimate(values), tuple(float(one) for one in np.exp(values)), blocks, tuple(logs), note)


def paired_ratio(log_ratios: Sequence[FloatArray] | Mapping[int, FloatArray]) -> Ratio:
    """The ratio behind paired blocks; log_ratios: one array of shape (blocks,) per round, none empty."""
    rounds = log_ratios if isinstance(log_ratios, Mapping) else dict(enumerate(log_ratios))
    medians = {number: float(np.median(blocks)) for number, blocks in rounds.items()}
    return ratio_of(medians, sum(len(blocks) for blocks in rounds.values()))


def geometric_interval(values: Sequence[float] | FloatArray) -> tuple[float, float | None, float | None]:
    """Geometric mean of one positive value per round, with its 95 % interval."""
    logs = estimate(np.log(values))
    low, high = logs.interval()
    return exp(logs.mean), _exp(low), _exp(high)


def holm_confidences(p_values: Sequence[float], alpha: float = 1 - CONFIDENCE) -> tuple[float, ...]:
    """The confidence at which to draw each interval when all of them are read together.

    Holm 1979: of m hypotheses the k-th smallest p-value is held against alpha / (m - k + 1), and nothing
    is rejected after the first that is not. From there on the level stays, so an interval leaves out 0
    exactly when the step-down procedure rejects: the intervals are compatible with its decisions.
    """
    levels = [0.0] * len(p_values)
    rejecting, level = True, alpha
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if rejecting:
            level = alpha / (len(p_values) - place)
            rejecting = p_values[index] < level
        levels[index] = level
    return tuple(1 - level for level in levels)


@cache
def t_quantile(confidence: float, degrees: int) -> float:
    """How many standard errors a two-sided Student interval reaches."""
    return float(stdtrit(degrees, (1 + confidence) / 2))


def _exp(value: float | None) -> float | None:
    return None if value is None else exp(value)
