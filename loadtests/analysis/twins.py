"""A against A: every twin against its original, and what it says about the method in this run. Pure."""

from collections.abc import Sequence
from math import exp, log

import numpy as np

from loadtests.analysis.estimates import Ratio, holm_confidences, ratio_of
from loadtests.analysis.estimators import Measured, ratio
from loadtests.analysis.summary import AaRatio, RunInfo
from loadtests.config.metrics import COMPARED, PER_PROCESS

UNMEASURED = "not measured: too few requests, or no answer"


def against_twins(measured: Measured, run: RunInfo) -> tuple[AaRatio, ...]:
    """Original over twin, for every metric: of all scenarios together (scenario ""), then of each.

    Of all together: per round, the mean over scenarios of the log ratio; a launch that is dearer than another is so in
    all of them. A pooled one has failed where its interval leaves out 1, adjusted for all pooled ones (Holm 1979).
    """
    found = {
        (original, metric): _by_scenario(measured, run, original, twin, metric)
        for twin, original in run.twins.items()
        for metric in COMPARED
        if metric not in PER_PROCESS
    }
    pooled = {key: _pooled(list(ratios.values())) for key, ratios in found.items()}
    tested = {key: p for key, one in pooled.items() if one and (p := one.log.p_value) is not None}
    levels = dict(zip(tested, holm_confidences(list(tested.values())), strict=True))
    failed = {key for key, p_value in tested.items() if p_value < 1 - levels[key]}
    return (
        *(_row(key, "", one, failed=key in failed) for key, one in pooled.items()),
        *(_row(key, scenario, one) for key, ratios in found.items() for scenario, one in ratios.items()),
    )


def biases(against: Sequence[AaRatio]) -> dict[str, float]:
    """metric -> how far the worst of its failed pooled ratios is from 1, as a fraction."""
    found: dict[str, float] = {}
    for one in against:
        if one.failed and one.ratio:
            found[one.metric] = max(found.get(one.metric, 0.0), exp(abs(log(one.ratio))) - 1)
    return found


def _by_scenario(measured: Measured, run: RunInfo, original: str, twin: str, metric: str) -> dict[str, Ratio]:
    ratios = {name: ratio(measured, name, metric, (original,), (twin,)) for name in run.scenarios}
    return {name: one for name, one in ratios.items() if one is not None}


def _pooled(ratios: Sequence[Ratio]) -> Ratio | None:
    """Per round, the mean over scenarios of the log ratio."""
    rounds: dict[int, list[float]] = {}
    for one in ratios:
        for number, value in zip(one.numbers, one.rounds, strict=True):
            rounds.setdefault(number, []).append(log(value))
    logs = {number: float(np.mean(rounds[number])) for number in sorted(rounds)}
    return ratio_of(logs, sum(one.blocks for one in ratios)) if logs else None


def _row(key: tuple[str, str], scenario: str, one: Ratio | None, *, failed: bool = False) -> AaRatio:
    original, metric = key
    if one is None:
        return AaRatio(metric, None, None, None, original, UNMEASURED, scenario)
    low, high = one.interval()
    return AaRatio(metric, one.value, low, high, original, "", scenario, failed)
