"""Observations by what they are of, and the estimators of metrics that are neither costs nor latencies. Pure.

The launches of a contestant (its own and its twin's) are data alike: the value of a block is the geometric mean over
the launches that have one.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from loadtests.analysis.estimates import Figure, FloatArray, Ratio, geometric_interval, paired_ratio

Launches = tuple[str, ...]
"""The names of a contestant's launches, the original first."""

Readings = Mapping[tuple[str, str, str], Mapping[tuple[int, int], float]]
"""(scenario, contestant, metric) -> (round, block) -> value; a metric without any value has an empty mapping."""


def readings_in(observations: pl.DataFrame) -> Readings:
    """All values that are not null, in the order of the observations."""
    readings: dict[tuple[str, str, str], dict[tuple[int, int], float]] = {}
    columns = ["scenario", "contestant", "metric", "round", "block", "value"]
    for scenario, contestant, metric, round_, block, value in observations.select(columns).iter_rows():
        own = readings.setdefault((scenario, contestant, metric), {})
        if value is not None:
            own[round_, block] = value
    return readings


def block_ratio(readings: Readings, scenario: str, metric: str, a: Launches, b: Launches) -> Ratio | None:
    """The paired ratio a / b of positive values; None without a single block that both have."""
    of_a, of_b = (_positive(blocks(readings, scenario, metric, one)) for one in (a, b))
    rounds: dict[int, list[float]] = {}
    for place in sorted(of_a.keys() & of_b.keys()):
        rounds.setdefault(place[0], []).append(float(np.log(of_a[place] / of_b[place])))
    return paired_ratio({number: np.array(logs) for number, logs in rounds.items()}) if rounds else None


def block_figure(readings: Readings, scenario: str, metric: str, launches: Launches) -> Figure:
    """The geometric mean over rounds of each round's median, with its interval.

    Where a zero is among the medians, as is usual for shares, their arithmetic mean without interval.
    """
    held = blocks(readings, scenario, metric, launches)
    rounds: dict[int, list[float]] = {}
    for (number, _), value in held.items():
        rounds.setdefault(number, []).append(value)
    medians = np.array([np.median(values) for values in rounds.values()])
    return Figure(*_centre(medians, metric), len(medians), len(held))


def blocks(
    readings: Readings, scenario: str, metric: str, launches: Launches
) -> dict[tuple[int, int], float]:
    """(round, block) -> the mean over these launches, geometric where all are positive."""
    held: dict[tuple[int, int], list[float]] = {}
    for name in launches:
        for place, value in readings.get((scenario, name, metric), {}).items():
            held.setdefault(place, []).append(value)
    return {place: _mean(values) for place, values in held.items()}


def _mean(values: Sequence[float]) -> float:
    if len(values) == 1:
        return values[0]
    return float(np.exp(np.mean(np.log(values))) if min(values) > 0 else np.mean(values))


def _positive(values: Mapping[tuple[int, int], float]) -> dict[tuple[int, int], float]:
    return {place: value for place, value in values.items() if value > 0}


def _centre(medians: FloatArray, metric: str) -> tuple[float | None, float | None, float | None]:
    if len(medians) == 0:
        return None, None, None
    if metric == "error_percent" or not np.all(medians > 0):
        return float(medians.mean()), None, None
    return geometric_interval(medians)
