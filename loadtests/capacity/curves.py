"""Response time against offered rate: the knee of one launch, and the curve over all of them. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from loadtests.plan.search import Rule, Step
from loadtests.samples.outcome import Outcome

Trail = Sequence[tuple[Step, Outcome]]


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung of the ladder in one round: the rate offered, and the response times that came of it."""

    fraction: float
    rate_rps: float
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Point:
    """One rung over `rounds` rounds: medians of its rate and of each round's percentiles."""

    fraction: float
    rate_rps: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    rounds: int


def rungs(trail: Trail, rule: Rule) -> list[Rung]:
    """The ladder by rising rate; of a rung that was tried several times the medians, or the try that decided."""
    found: dict[float, list[Rung]] = {}
    for step, outcome in trail:
        rung = _rung(step, outcome)
        if rung:
            found.setdefault(rung.fraction, []).append(rung)
    return [TOGETHER[rule](found[fraction]) for fraction in sorted(found)]


def _rung(step: Step, outcome: Outcome) -> Rung | None:
    if step.role != "rung" or step.fraction is None or step.rate_rps is None:
        return None
    if outcome.mean_ms is None or outcome.p50_ms is None or outcome.p95_ms is None or outcome.p99_ms is None:
        return None
    times_ms = (outcome.mean_ms, outcome.p50_ms, outcome.p95_ms, outcome.p99_ms)
    return Rung(step.fraction, step.rate_rps, *times_ms)


def _last(tries: Sequence[Rung]) -> Rung:
    return tries[-1]


def _medians(tries: Sequence[Rung]) -> Rung:
    return Rung(
        fraction=tries[0].fraction,
        rate_rps=tries[0].rate_rps,
        mean_ms=median(one.mean_ms for one in tries),
        p50_ms=median(one.p50_ms for one in tries),
        p95_ms=median(one.p95_ms for one in tries),
        p99_ms=median(one.p99_ms for one in tries),
    )


TOGETHER: Mapping[Rule, Callable[[Sequence[Rung]], Rung]] = {"second try": _last, "two of three": _medians}


def knee_rps(ladder: Iterable[Rung]) -> float | None:
    """The rate that maximises power = rate / mean response time; None without a rung.

    Source: Kleinrock 1979, Power and deterministic rules of thumb for probabilistic problems in computer
    communications. For an M/M/1 queue it is half of the service rate.
    """
    best = max(ladder, key=lambda rung: rung.rate_rps / rung.mean_ms, default=None)
    return best.rate_rps if best else None


def curve(ladders: Sequence[Sequence[Rung]]) -> list[Point]:
    """One point per rung that more than half of the rounds have; ladders: one per round."""
    by_fraction: dict[float, list[Rung]] = {}
    for rung in (rung for ladder in ladders for rung in ladder):
        by_fraction.setdefault(round(rung.fraction, 6), []).append(rung)
    return [
        _point(fraction, by_fraction[fraction])
        for fraction in sorted(by_fraction)
        if 2 * len(by_fraction[fraction]) > len(ladders)
    ]


def _point(fraction: float, seen: Sequence[Rung]) -> Point:
    return Point(
        fraction=fraction,
        rate_rps=median(rung.rate_rps for rung in seen),
        p50_ms=median(rung.p50_ms for rung in seen),
        p95_ms=median(rung.p95_ms for rung in seen),
        p99_ms=median(rung.p99_ms for rung in seen),
        rounds=len(seen),
    )
