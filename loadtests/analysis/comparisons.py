"""Comparisons: every claim on every scenario and metric, paired by block, adjusted per table. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
import polars as pl

from loadtests.analysis.decision import decided, still_needed
from loadtests.analysis.estimates import CONFIDENCE, Ratio, holm_confidences, paired_ratio
from loadtests.analysis.gates import Reasons
from loadtests.analysis.precision import PROMISED
from loadtests.analysis.summary import Comparison, RunInfo
from loadtests.config.metrics import COMPARED, PER_PROCESS, loop_of
from loadtests.config.profiles import Claim, headline

Readings = Mapping[tuple[str, str, str], Mapping[tuple[int, int], float]]
"""(scenario, metric, contestant) -> (round, block) -> value."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """One claim on one metric of one scenario, with what the samples say about it."""

    claim: Claim
    scenario: str
    metric: str
    ratio: Ratio | None
    reason: str


def comparisons(
    observations: pl.DataFrame, reasons: Reasons, run: RunInfo, metrics: Sequence[str] = COMPARED
) -> list[Comparison]:
    """Every claim on every scenario and metric that both answer; intervals adjusted within a claim's table.

    A metric that a scenario cannot have, such as latencies where no slice is open, is not listed.
    """
    judged: list[Comparison] = []
    taken = set(observations.select("scenario", "metric").unique().iter_rows())
    readings = readings_in(observations)
    for claim in run.claims:
        pairs = [
            _pair(readings, claim, scenario, metric, reasons)
            for scenario in _common(observations, claim, run)
            for metric in metrics
            if (scenario, metric) in taken
        ]
        judged += _judge(pairs, run)
    return [_with_time_needed(one, run) for one in judged]


def _with_time_needed(one: Comparison, run: RunInfo) -> Comparison:
    """Where a precision was asked for and not reached, the note says how much longer it needs."""
    pair, wanted = headline(run.claims), run.precision
    if pair is None or wanted is None or (one.a, one.b) != (pair.a, pair.b) or one.metric not in PROMISED:
        return one
    parts = (one.note, still_needed(one, wanted, run))
    return replace(one, note="; ".join(part for part in parts if part))


def _common(observations: pl.DataFrame, claim: Claim, run: RunInfo) -> list[str]:
    def answered(name: str) -> set[str]:
        return set(observations.filter(pl.col("contestant") == name)["scenario"].unique())

    both = answered(claim.a) & answered(claim.b)
    return [scenario for scenario in run.scenarios if scenario in both]


def _pair(readings: Readings, claim: Claim, scenario: str, metric: str, reasons: Reasons) -> _Pair:
    blamed = [
        f"{name}: {why}"
        for name in (claim.a, claim.b)
        for why in reasons.get((scenario, name, loop_of(metric)), ())
    ]
    ratio = ratio_in(readings, scenario, metric, claim.a, claim.b)
    return _Pair(claim, scenario, metric, ratio, "; ".join(blamed))


def readings_in(observations: pl.DataFrame) -> Readings:
    """The positive values."""
    rows = observations.filter(pl.col("value") > 0)
    readings: dict[tuple[str, str, str], dict[tuple[int, int], float]] = {}
    for scenario, metric, contestant, round_, block, value in rows.select(
        "scenario", "metric", "contestant", "round", "block", "value"
    ).iter_rows():
        readings.setdefault((scenario, metric, contestant), {})[round_, block] = value
    return readings


def ratio_in(readings: Readings, scenario: str, metric: str, a: str, b: str) -> Ratio | None:
    """The paired ratio; None without a single block that both answered."""
    of_a, of_b = readings.get((scenario, metric, a), {}), readings.get((scenario, metric, b), {})
    rounds: dict[int, list[float]] = {}
    for place in of_a.keys() & of_b.keys():
        rounds.setdefault(place[0], []).append(log(of_a[place] / of_b[place]))
    return paired_ratio([np.array(rounds[number]) for number in sorted(rounds)]) if rounds else None


def _judge(pairs: Sequence[_Pair], run: RunInfo) -> list[Comparison]:
    """Verdicts of one table. Only what is tested counts for the adjustment: valid pairs with an interval.

    What is measured once per process is one test, however many scenarios show it.
    """
    p_values = {
        _test(pair): p_value for pair in pairs if not pair.reason and (p_value := _p_value(pair)) is not None
    }
    confidence = dict(zip(p_values, holm_confidences(list(p_values.values())), strict=True))
    return [_comparison(pair, confidence.get(_test(pair), CONFIDENCE), run) for pair in pairs]


def _test(pair: _Pair) -> tuple[str, str]:
    return ("" if pair.metric in PER_PROCESS else pair.scenario), pair.metric


def _p_value(pair: _Pair) -> float | None:
    return None if pair.ratio is None else pair.ratio.log.p_value


def _comparison(pair: _Pair, confidence: float, run: RunInfo) -> Comparison:
    low, high = pair.ratio.interval(confidence) if pair.ratio else (None, None)
    low_single, high_single = pair.ratio.interval() if pair.ratio else (None, None)
    verdict, note = decided(pair.metric, pair.ratio, low, high, run)
    if pair.reason:
        verdict, note = "invalid", pair.reason
    return Comparison(
        scenario=pair.scenario,
        metric=pair.metric,
        a=pair.claim.a,
        b=pair.claim.b,
        ratio=pair.ratio.value if pair.ratio else None,
        low=low,
        high=high,
        margin=run.margin,
        verdict=verdict,
        low_single=low_single,
        high_single=high_single,
        p_value=_p_value(pair),
        rounds=len(pair.ratio.rounds) if pair.ratio else 0,
        blocks=pair.ratio.blocks if pair.ratio else 0,
        round_ratios=pair.ratio.rounds if pair.ratio else (),
        note=note,
    )
