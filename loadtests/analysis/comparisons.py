"""Comparisons: every claim on every scenario and metric, and the families that they are judged in. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from loadtests.analysis.decision import decided, still_needed
from loadtests.analysis.estimates import Ratio, holm_confidences
from loadtests.analysis.estimators import Measured, ratio
from loadtests.analysis.gates import Reasons
from loadtests.analysis.summary import Comparison, Family, RunInfo
from loadtests.config.metrics import COMPARED, PRIMARY, loop_of
from loadtests.config.profiles import Claim, headline


@dataclass(frozen=True, slots=True)
class _Pair:
    """One claim on one metric of one scenario, with what the samples say about it."""

    claim: Claim
    scenario: str
    metric: str
    family: Family
    ratio: Ratio | None
    reason: str

    @property
    def p_value(self) -> float | None:
        """Of the hypothesis that both are equal."""
        return self.ratio.log.p_value if self.ratio else None


def comparisons(
    measured: Measured,
    reasons: Reasons,
    run: RunInfo,
    metrics: Sequence[str] = COMPARED,
    bias: Mapping[str, float] = MappingProxyType({}),
) -> list[Comparison]:
    """Every claim on every scenario and metric that both answer.

    The primary family is fixed before the run: the headline pair's metrics in PRIMARY, in every scenario that does not
    wait. Its verdicts are adjusted for all of it (Holm 1979); all others are exploratory. bias: metric -> the
    systematic part of its error, as a fraction. A metric that a scenario cannot have, such as latencies where no slice
    is open, is not listed.
    """
    pairs = [
        _pair(measured, claim, scenario, metric, reasons, run, bias)
        for claim in run.claims
        for scenario, metric in _common(measured, claim, run, metrics)
    ]
    primary = [one for one in pairs if one.family == "primary" and not one.reason and one.p_value is not None]
    levels = holm_confidences([one.p_value or 0.0 for one in primary])
    confidence = {(one.scenario, one.metric): level for one, level in zip(primary, levels, strict=True)}
    judged = [
        _comparison(one, confidence.get((one.scenario, one.metric)) if one.family == "primary" else None, run)
        for one in pairs
    ]
    return [_with_time_needed(one, run) for one in judged]


def _with_time_needed(one: Comparison, run: RunInfo) -> Comparison:
    """Where a precision was asked for and not reached, the note says how much longer it needs."""
    if run.precision is None or one.family != "primary":
        return one
    parts = (one.note, still_needed(one, run.precision, run))
    return replace(one, note="; ".join(part for part in parts if part))


def _common(measured: Measured, claim: Claim, run: RunInfo, metrics: Sequence[str]) -> list[tuple[str, str]]:
    """The scenarios and metrics to compare; what is measured once per process stands in no scenario."""
    taken, places = measured.taken, set(measured.places)
    both = measured.answered(claim.a) & measured.answered(claim.b)
    private = all(("", name, "private_mib") in places for name in (claim.a, claim.b))
    return [
        (scenario, metric)
        for scenario in (*run.scenarios, "")
        if scenario in both
        for metric in metrics
        if (scenario, metric) in taken and not (metric == "pss_mib" and private)
    ]


def _pair(
    measured: Measured,
    claim: Claim,
    scenario: str,
    metric: str,
    reasons: Reasons,
    run: RunInfo,
    bias: Mapping[str, float],
) -> _Pair:
    blamed = [
        f"{name}: {why}"
        for name in (claim.a, claim.b)
        for why in reasons.get((scenario, name, loop_of(metric)), ())
    ]
    found = ratio(measured, scenario, metric, run.launches(claim.a), run.launches(claim.b))
    widened = found.widened(bias[metric]) if found and metric in bias else found
    return _Pair(claim, scenario, metric, _family(claim, scenario, metric, run), widened, "; ".join(blamed))


def _family(claim: Claim, scenario: str, metric: str, run: RunInfo) -> Family:
    promised = metric in PRIMARY and scenario not in run.waiting
    return "primary" if promised and claim == headline(run.claims) else "exploratory"


def _comparison(pair: _Pair, confidence: float | None, run: RunInfo) -> Comparison:
    """confidence: of the adjusted interval that decides; None: the plain one does."""
    plain = pair.ratio.interval() if pair.ratio else (None, None)
    adjusted = pair.ratio.interval(confidence) if pair.ratio and confidence else (None, None)
    found = decided(pair.metric, pair.ratio, plain, adjusted if confidence else plain, run)
    if pair.reason:
        found = replace(found, verdict="invalid", finding="invalid", within=None, note=pair.reason)
    return Comparison(
        scenario=pair.scenario,
        metric=pair.metric,
        a=pair.claim.a,
        b=pair.claim.b,
        ratio=pair.ratio.value if pair.ratio else None,
        low=plain[0],
        high=plain[1],
        margin=run.margin,
        verdict=found.verdict,
        low_single=plain[0],
        high_single=plain[1],
        p_value=pair.p_value,
        rounds=len(pair.ratio.rounds) if pair.ratio else 0,
        blocks=pair.ratio.blocks if pair.ratio else 0,
        round_ratios=pair.ratio.rounds if pair.ratio else (),
        note="; ".join(text for text in (found.note, pair.ratio.note if pair.ratio else "") if text),
        family=pair.family,
        finding=found.finding,
        within=found.within,
        low_adjusted=adjusted[0],
        high_adjusted=adjusted[1],
    )
