"""Whether values come from one normal distribution or from two, as launches of a server may. Pure."""

from dataclasses import dataclass
from math import exp, log, pi

import numpy as np

from loadtests.analysis.estimates import FloatArray

FEWEST = 8  # of fewer values nothing is said
STEPS = 200  # of the algorithm; it is within a thousandth long before


@dataclass(frozen=True, slots=True)
class Groups:
    """Two normal groups of one standard deviation `spread`: a `share` of the values lies `extra` higher."""

    share: float
    extra: float
    spread: float


def two_groups(values: FloatArray) -> Groups | None:
    """The two groups that the values, shape (n,), form; None where one group describes them as well.

    The groups are found by expectation and maximisation (Dempster, Laird and Rubin 1977) from the split with the least
    squares within (Fisher 1958), and kept where Schwarz's criterion prefers them (1978): they have two parameters more.
    """
    ordered = np.sort(values)
    if len(ordered) < FEWEST or ordered[0] == ordered[-1]:
        return None
    share, low, high, variance = _first(ordered)
    for _ in range(STEPS):
        weights = _belongs_high(ordered, share, low, high, variance)
        total = weights.sum()
        share = float(total / len(ordered))
        low = float(((1 - weights) * ordered).sum() / (len(ordered) - total))
        high = float((weights * ordered).sum() / total)
        squares = (1 - weights) * (ordered - low) ** 2 + weights * (ordered - high) ** 2
        variance = max(float(squares.mean()), float(ordered.var()) * 1e-6)
    one = _log_likelihood(ordered, 0.0, float(ordered.mean()), 0.0, float(ordered.var()))
    two = _log_likelihood(ordered, share, low, high, variance)
    better = 2 * (two - one) > 2 * log(len(ordered))
    return Groups(share, high - low, variance**0.5) if better else None


def _first(ordered: FloatArray) -> tuple[float, float, float, float]:
    """Share of the upper group, both means, and the variance within, of the best split."""
    splits = range(1, len(ordered))
    within = [ordered[:at].var() * at + ordered[at:].var() * (len(ordered) - at) for at in splits]
    at = int(np.argmin(within)) + 1
    variance = max(min(within) / len(ordered), float(ordered.var()) * 1e-6)
    return 1 - at / len(ordered), float(ordered[:at].mean()), float(ordered[at:].mean()), float(variance)


def _belongs_high(values: FloatArray, share: float, low: float, high: float, variance: float) -> FloatArray:
    """The probability of each value to belong to the upper group, never quite 0 or 1."""
    odds = log(share / (1 - share)) + ((values - low) ** 2 - (values - high) ** 2) / (2 * variance)
    weights: FloatArray = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
    return weights


def _log_likelihood(values: FloatArray, share: float, low: float, high: float, variance: float) -> float:
    densities = (1 - share) * np.exp(-((values - low) ** 2) / (2 * variance)) + share * np.exp(
        -((values - high) ** 2) / (2 * variance)
    )
    scale = exp(-0.5 * log(2 * pi * variance))
    return float(np.log(np.maximum(densities * scale, 1e-300)).sum())
