"""From samples to judgement: cells, comparisons and the verdict on each. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, log

import numpy as np
import polars as pl

from loadtests.analysis import gates
from loadtests.analysis.digest import Digest, steal_percent
from loadtests.analysis.estimates import (
    CONFIDENCE,
    MIN_ROUNDS,
    FloatArray,
    Ratio,
    geometric_interval,
    holm_confidences,
    paired_ratio,
)
from loadtests.analysis.gates import Reasons
from loadtests.analysis.observations import observe
from loadtests.analysis.precision import PROMISED, half_width, more_s, widths
from loadtests.analysis.summary import AaRatio, Cell, Comparison, Noise, RunInfo, Summary, Verdict
from loadtests.config.metrics import COMPARED, METRICS, PER_PROCESS, loop_of
from loadtests.config.profiles import Claim, headline
from loadtests.plan.rounds import TWIN_SCENARIO

LONGEST_HOURS = 24  # beyond this a forecast says no more than that


Readings = Mapping[tuple[str, str, str], Mapping[tuple[int, int], float]]
"""(scenario, metric, contestant) -> (round, block) -> value."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """One claim on one metric of one scenario, with what the samples say of it."""

    claim: Claim
    scenario: str
    metric: str
    ratio: Ratio | None
    reason: str


def summarise(digest: Digest, run: RunInfo) -> Summary:
    """All that a report needs, out of the digest of the raw samples."""
    observations = observe(digest).with_columns(pl.col("value").fill_nan(None))
    found = gates.inspect(digest, run)
    reasons = gates.reasons(found)
    return Summary(
        run=run,
        cells=tuple(cells(observations, reasons)),
        comparisons=tuple(comparisons(observations, reasons, run)),
        gates=tuple(found),
        noise=noise(digest, observations, run),
    )


def headline_widths(digest: Digest, run: RunInfo) -> dict[str, float]:
    """scenario -> how far the headline pair's promised intervals reach: all that a run steers by, and no more."""
    pair = headline(run.claims)
    if pair is None:
        return {}
    own = digest.slices.filter(pl.col("contestant").is_in([pair.a, pair.b]))
    measured = replace(digest, slices=own)
    observations = observe(measured).with_columns(pl.col("value").fill_nan(None))
    reasons = gates.reasons(gates.inspect(measured, run))
    return widths(comparisons(observations, reasons, replace(run, claims=(pair,)), PROMISED))


def cells(observations: pl.DataFrame, reasons: Reasons) -> list[Cell]:
    """One a scenario, contestant and metric: the geometric mean over rounds of each round's median."""
    cell = ["scenario", "contestant", "metric"]
    medians = observations.group_by(*cell, "round", maintain_order=True).agg(
        pl.col("value").median(), measured=pl.col("value").count()
    )
    groups = medians.partition_by(cell, as_dict=True, maintain_order=True)
    return [_cell(str(key[0]), str(key[1]), str(key[2]), rows, reasons) for key, rows in groups.items()]


def _cell(scenario: str, contestant: str, metric: str, rounds: pl.DataFrame, reasons: Reasons) -> Cell:
    medians = rounds["value"].drop_nulls().to_numpy()
    value, low, high = _centre(medians, metric)
    why = reasons.get((scenario, contestant, loop_of(metric)), ())
    unmeasured = () if value is not None else (_why_unmeasured(metric),)
    return Cell(
        scenario=scenario,
        contestant=contestant,
        metric=metric,
        unit=METRICS[metric].unit,
        value=value,
        low=low,
        high=high,
        rounds=len(medians),
        slices=int(rounds["measured"].sum()),
        valid=not why,
        reasons=(*why, *unmeasured),
    )


def _why_unmeasured(metric: str) -> str:
    if loop_of(metric) != "closed":
        return "not measured: too few samples in a round"
    return "not measured: no answer, or no reading of the server's processes"


def _centre(medians: FloatArray, metric: str) -> tuple[float | None, float | None, float | None]:
    """Value and interval; for shares, where a zero is usual, an arithmetic mean without interval."""
    if len(medians) == 0:
        return None, None, None
    if metric == "error_percent" or not np.all(medians > 0):
        return float(medians.mean()), None, None
    return geometric_interval(list(medians))


def comparisons(
    observations: pl.DataFrame, reasons: Reasons, run: RunInfo, metrics: Sequence[str] = COMPARED
) -> list[Comparison]:
    """Every claim on every scenario and metric that both answer; intervals adjusted within a claim's table.

    A metric that a scenario cannot have, such as latencies where no slice is open, is not listed.
    """
    judged: list[Comparison] = []
    taken = set(observations.select("scenario", "metric").unique().iter_rows())
    readings = _readings(observations)
    for claim in run.claims:
        pairs = [
            _pair(readings, claim, scenario, metric, reasons)
            for scenario in _common(observations, claim, run)
            for metric in metrics
            if (scenario, metric) in taken
        ]
        judged += _judge(pairs, run)
    return [_with_promise(one, run) for one in judged]


def _with_promise(one: Comparison, run: RunInfo) -> Comparison:
    """Where a precision was asked for and not reached, the note says how much longer it needs."""
    pair, wanted = headline(run.claims), run.precision
    if pair is None or wanted is None or (one.a, one.b) != (pair.a, pair.b) or one.metric not in PROMISED:
        return one
    width = half_width(one)
    if one.verdict == "invalid" or width <= wanted:
        return one
    told = f"not yet as precise as asked: {100 * width:.1f} % to either side"
    if isfinite(width):
        told += f"; {100 * wanted:g} % takes {_duration(more_s(width, wanted, run.duration_s))} more"
    return replace(one, note="; ".join(part for part in (one.note, told) if part))


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
    ratio = _ratio(readings, scenario, metric, claim.a, claim.b)
    return _Pair(claim, scenario, metric, ratio, "; ".join(blamed))


def _readings(observations: pl.DataFrame) -> Readings:
    """What was measured and has a logarithm."""
    rows = observations.filter(pl.col("value") > 0)
    readings: dict[tuple[str, str, str], dict[tuple[int, int], float]] = {}
    for scenario, metric, contestant, round_, block, value in rows.select(
        "scenario", "metric", "contestant", "round", "block", "value"
    ).iter_rows():
        readings.setdefault((scenario, metric, contestant), {})[round_, block] = value
    return readings


def _ratio(readings: Readings, scenario: str, metric: str, a: str, b: str) -> Ratio | None:
    """The paired ratio; None without a single block that both answered."""
    mine, others = readings.get((scenario, metric, a), {}), readings.get((scenario, metric, b), {})
    rounds: dict[int, list[float]] = {}
    for place in mine.keys() & others.keys():
        rounds.setdefault(place[0], []).append(log(mine[place] / others[place]))
    return paired_ratio([np.array(rounds[number]) for number in sorted(rounds)]) if rounds else None


def _judge(pairs: Sequence[_Pair], run: RunInfo) -> list[Comparison]:
    """Verdicts of one table. Only what is tested counts for the adjustment: valid pairs with an interval.

    What is measured once a process is one test, however many scenarios show it.
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
    verdict, note = _verdict(pair, low, high, run)
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


def _verdict(pair: _Pair, low: float | None, high: float | None, run: RunInfo) -> tuple[Verdict, str]:
    margin = run.margin
    if pair.reason:
        return "invalid", pair.reason
    if low is None or high is None:
        rounds = len(pair.ratio.rounds) if pair.ratio else 0
        return (
            "inconclusive",
            f"rounds with enough samples: {rounds} of the {MIN_ROUNDS} needed; take a longer profile",
        )
    if low >= 1 / (1 + margin) and high <= 1 + margin:
        return "equivalent", f"the whole interval is within {margin:.0%}"
    if low > 1 or high < 1:
        a_wins = (low > 1) == METRICS[pair.metric].higher_is_better
        certain = low > 1 + margin or high < 1 / (1 + margin)
        return ("a_better" if a_wins else "b_better"), ("" if certain else f"maybe by less than {margin:.0%}")
    return "inconclusive", f"to decide it: {_how_much_more(low, high, run)} of measuring like this"


def _how_much_more(low: float, high: float, run: RunInfo) -> str:
    """How long a run would take whose interval, around the same ratio, leaves out 1 or fits within the margin.

    An interval narrows with the square root of the rounds, hence of the time.
    """
    reach, distance = log(high / low) / 2, abs(log(high * low)) / 2
    wanted = max(distance, log(1 + run.margin) - distance)
    return _duration(run.duration_s * max(1.5, (reach / wanted) ** 2))


def _duration(seconds: float) -> str:
    hours = seconds / 3600
    if hours > LONGEST_HOURS:
        return f"more than {LONGEST_HOURS} hours"
    return f"about {hours:.1f} hours" if hours >= 1 else f"about {max(1, round(60 * hours))} minutes"


def noise(digest: Digest, observations: pl.DataFrame, run: RunInfo) -> Noise:
    """Stolen time, and every twin against its original."""
    measured = [metric for metric in COMPARED if metric not in PER_PROCESS]
    readings = _readings(observations)
    return Noise(
        steal_percent=steal_percent(digest.slices, run.cpus),
        aa=tuple(
            _aa(readings, original, twin, metric)
            for twin, original in run.twins.items()
            for metric in measured
        ),
    )


def _aa(readings: Readings, original: str, twin: str, metric: str) -> AaRatio:
    ratio = _ratio(readings, TWIN_SCENARIO, metric, original, twin)
    if ratio is None:
        return AaRatio(metric, None, None, None, original, "not measured: too few samples in a round")
    low, high = ratio.interval()
    return AaRatio(metric, ratio.value, low, high, original)
