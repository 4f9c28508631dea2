"""Estimators that `estimators` compares: each makes one log ratio of a round's paired blocks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log

import numpy as np
from scipy.stats import trim_mean

from loadtests.analysis.estimates import FloatArray


@dataclass(frozen=True, slots=True)
class Blocks:
    """The paired blocks of one round, arrays of shape (blocks,): CPU time, answers, and the share of stolen time."""

    cpu_a: FloatArray
    cpu_b: FloatArray
    answers_a: FloatArray
    answers_b: FloatArray
    stolen: FloatArray

    @property
    def logs(self) -> FloatArray:
        """Log ratios of CPU time per request."""
        ratios: FloatArray = np.log(self.cost_a) - np.log(self.cost_b)
        return ratios

    @property
    def cost_a(self) -> FloatArray:
        """CPU time per request of a."""
        return self.cpu_a / self.answers_a

    @property
    def cost_b(self) -> FloatArray:
        """CPU time per request of b."""
        return self.cpu_b / self.answers_b


def merged(size: int) -> Callable[[Blocks], float]:
    """The median, as if slices were so many times as long."""

    def of(one: Blocks) -> float:
        whole = max(1, len(one.cpu_a) // size)
        sums = [
            [part.sum() for part in np.array_split(column, whole)]
            for column in (one.cpu_a, one.answers_a, one.cpu_b, one.answers_b)
        ]
        cpu_a, answers_a, cpu_b, answers_b = map(np.array, sums)
        return float(np.median(np.log(cpu_a / answers_a) - np.log(cpu_b / answers_b)))

    return of


def quantiles(share: float) -> Callable[[Blocks], float]:
    """The ratio of the same lower quantile of CPU time per request: noise only adds time."""
    return lambda one: float(log(np.quantile(one.cost_a, share) / np.quantile(one.cost_b, share)))


def _unstolen(one: Blocks) -> float:
    kept = one.logs[one.stolen == 0]
    return float(np.median(kept if len(kept) else one.logs))


def _least_stolen(one: Blocks) -> float:
    return float(np.median(one.logs[one.stolen <= np.median(one.stolen)]))


def _weighted(one: Blocks) -> float:
    return float(np.average(one.logs, weights=1 / (0.05 + one.stolen)))


def _hodges_lehmann(one: Blocks) -> float:
    return float(np.median((one.logs[:, None] + one.logs[None, :]) / 2))


CANDIDATES: Mapping[str, Callable[[Blocks], float]] = {
    "median of log ratios": lambda one: float(np.median(one.logs)),
    "mean of log ratios": lambda one: float(one.logs.mean()),
    "trimmed mean, a fifth off each end": lambda one: float(trim_mean(one.logs, 0.2)),
    "mean of the middle half": lambda one: float(trim_mean(one.logs, 0.25)),
    "Hodges-Lehmann": _hodges_lehmann,
    "ratio of totals": lambda one: (
        float(log(one.cpu_a.sum() / one.answers_a.sum())) - float(log(one.cpu_b.sum() / one.answers_b.sum()))
    ),
    "ratio of minima": quantiles(0.0),
    "ratio of 10 % quantiles": quantiles(0.1),
    "ratio of 25 % quantiles": quantiles(0.25),
    "ratio of medians": quantiles(0.5),
    "median without stolen blocks": _unstolen,
    "median of the less stolen half": _least_stolen,
    "mean weighted against stolen time": _weighted,
    "median, slices twice as long": merged(2),
    "median, slices four times as long": merged(4),
    "median, half of the blocks": lambda one: float(np.median(one.logs[: max(1, len(one.logs) // 2)])),
}


FIRST = CANDIDATES["median of log ratios"]
