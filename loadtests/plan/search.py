"""The search for a server's capacity, as a procedure that asks for one step of load after the other. Pure.

`procedure` is a coroutine: it yields the step to drive next, is sent what that step showed, and returns what was
found. The load process drives it live; a report replays it over the stored samples and comes to the same end.
"""

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import Literal

from loadtests.config.profiles import Arrivals
from loadtests.samples.outcome import ANSWERS_NEEDED, Outcome

RUNGS = (0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0, 1.1)  # fractions of the closed loop's throughput
RAISE, RAISES = 1.25, 4  # beyond a ladder that passes to its top
LOWER, LOWERS = 0.5, 2  # below a ladder that fails from its foot
ENOUGH = (
    1.15  # arrivals planned over answers needed: a Poisson count of 575 falls below 500 once in a thousand
)
ERROR_LIMIT_PERCENT = 0.1
LAG_SHARE = (
    0.2  # of the SLO: a step that failed with the generator later than this says nothing of the server
)
GENERATOR_LIMIT_PERCENT = 80.0
OVERLOAD, RELIEF = 1.5, 0.5  # rates of the surge, as fractions of the capacity
RELIEF_TIMES = 2.5  # the relief's length over the overload's; an ideal queue needs 1

Role = Literal["closed", "rung", "bisection", "surge"]


@dataclass(frozen=True, slots=True)
class Search:
    """One server in one scenario, and the rules of the search for its capacity.

    users: connections; they bound what is in flight, a request that finds none free is sent late and counts from when
    it was due. step_s: how long a step is at least; one of a low rate lasts until ANSWERS_NEEDED answers can be
    expected, `step_limit_s` at most. resolution: the bisection ends when failing / passing rate is no more than that.
    """

    scenario: str
    contestant: str
    slo_ms: float
    seed: int
    arrivals: Arrivals = "poisson"
    users: int = 64
    step_s: float = 2.0
    step_limit_s: float = 15.0
    warmup_s: float = 0.1
    rungs: tuple[float, ...] = RUNGS
    bisections: int = 5
    resolution: float = 1.02

    def duration_s(self, rate_rps: float) -> float:
        """How long a step of that rate lasts."""
        return min(max(self.step_s, ENOUGH * ANSWERS_NEEDED / rate_rps), self.step_limit_s)

    def can_judge(self, rate_rps: float) -> bool:
        """Whether a step of that rate can give enough answers for a p99."""
        return rate_rps * self.step_limit_s >= ENOUGH * ANSWERS_NEEDED

    def is_met(self, outcome: Outcome) -> bool:
        """Whether the step kept to the SLO: p99 of the response time below it, and next to no errors."""
        quick = outcome.p99_ms is not None and outcome.p99_ms < self.slo_ms
        return quick and outcome.error_percent < ERROR_LIMIT_PERCENT

    @property
    def most_steps(self) -> int:
        """No search has more steps than this."""
        return 2 + 2 * (len(self.rungs) + RAISES + LOWERS + self.bisections)


@dataclass(frozen=True, slots=True)
class Step:
    """A spell of load: closed loop without a rate, open with one; `again`: the second try of one that failed.

    fraction: a rung's rate over the closed loop's throughput.
    """

    role: Role
    rate_rps: float | None
    duration_s: float
    fraction: float | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What a search found. capacity_rps None: not measured, and `reason` says why.

    capacity_rps is the highest rate that met the SLO; `failing_rps` the lowest above it that did not.
    """

    capacity_rps: float | None
    failing_rps: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Bracket:
    """The highest rate that passed and the lowest above it that failed, with what the failing one showed."""

    passing_rps: float | None = None
    failing_rps: float | None = None
    failure: Outcome | None = None

    def with_(self, rate_rps: float, outcome: Outcome, *, passed: bool) -> "Bracket":
        """The bracket after one more step; a higher rate that passes puts failures below it aside."""
        if passed:
            above = self.failing_rps is not None and self.failing_rps > rate_rps
            return replace(self, passing_rps=rate_rps) if above else Bracket(rate_rps)
        if self.failing_rps is None or rate_rps < self.failing_rps:
            return Bracket(self.passing_rps, rate_rps, outcome)
        return self


Moves = Generator[Step, Outcome, Bracket]


def procedure(search: Search) -> Generator[Step, Outcome, Finding]:
    """Closed loop, ladder, bisection, surge.

    A step that fails is tried a second time, and the second try decides: a stall of the machine must not send the
    search the wrong way. Rungs above one that failed twice are tried once, for the curve.
    """
    closed = yield Step("closed", None, search.step_s)
    top_rps = closed.throughput_rps
    if not top_rps:
        return Finding(None, None, "nothing was answered in the closed loop")
    if not search.can_judge(top_rps):
        return Finding(None, None, _too_slow(search, top_rps))
    bracket = yield from _climb(search, top_rps)
    if bracket.passing_rps is not None and bracket.failing_rps is not None:
        bracket = yield from _bisect(search, bracket, bracket.passing_rps, bracket.failing_rps)
    if bracket.passing_rps is not None:
        yield Step("surge", OVERLOAD * bracket.passing_rps, surge_s(search))
    return _finding(search, bracket)


def surge_s(search: Search) -> float:
    """How long the overload lasts; the relief after it lasts RELIEF_TIMES as long."""
    return max(1.0, search.step_s)


def _climb(search: Search, top_rps: float) -> Moves:
    """The ladder, and on upwards or downwards from it where it is passed or failed from end to end."""
    bracket = Bracket()
    fractions = [one for one in search.rungs if search.can_judge(one * top_rps)] or [1.0]
    for fraction in fractions:
        bracket = yield from _rung(search, bracket, fraction, top_rps)
    for number in range(1, RAISES + 1):
        if bracket.failing_rps is None:
            bracket = yield from _rung(search, bracket, fractions[-1] * RAISE**number, top_rps)
    for number in range(1, LOWERS + 1):
        fraction = fractions[0] * LOWER**number
        if bracket.passing_rps is None and search.can_judge(fraction * top_rps):
            bracket = yield from _rung(search, bracket, fraction, top_rps)
    return bracket


def _rung(search: Search, bracket: Bracket, fraction: float, top_rps: float) -> Moves:
    rate_rps = fraction * top_rps
    above_failure = bracket.failing_rps is not None and rate_rps > bracket.failing_rps
    step = Step("rung", rate_rps, search.duration_s(rate_rps), fraction)
    return (yield from _judged(search, bracket, step, twice=not above_failure))


def _bisect(search: Search, bracket: Bracket, passing_rps: float, failing_rps: float) -> Moves:
    """Halves the logarithm of the bracket, `search.bisections` times at most."""
    for _ in range(search.bisections):
        if failing_rps / passing_rps <= search.resolution:
            break
        rate_rps = sqrt(passing_rps * failing_rps)
        step = Step("bisection", rate_rps, search.duration_s(rate_rps))
        bracket = yield from _judged(search, bracket, step, twice=True)
        passed = bracket.passing_rps == rate_rps
        passing_rps, failing_rps = (rate_rps, failing_rps) if passed else (passing_rps, rate_rps)
    return bracket


def _judged(search: Search, bracket: Bracket, step: Step, *, twice: bool) -> Moves:
    outcome = yield step
    if twice and not search.is_met(outcome):
        outcome = yield replace(step, again=True)
    assert step.rate_rps is not None  # noqa: S101 - the closed step alone has none, and is not judged
    return bracket.with_(step.rate_rps, outcome, passed=search.is_met(outcome))


def _finding(search: Search, bracket: Bracket) -> Finding:
    """None where the SLO was never met, never missed, or missed because of the load generator."""
    if bracket.passing_rps is None:
        return Finding(None, bracket.failing_rps, _never_met(search, bracket))
    if bracket.failing_rps is None or bracket.failure is None:
        reason = f"even {bracket.passing_rps:.0f} requests/s met the SLO, the most that was tried"
        return Finding(None, None, reason)
    reason = _disturbance(search, bracket.failure)
    return Finding(None if reason else bracket.passing_rps, bracket.failing_rps, reason)


def _disturbance(search: Search, failure: Outcome) -> str:
    """Why a failed step is the load generator's fault, if it is: its lag is large, and explains the miss."""
    if lag_explains(search, failure):
        return f"the load generator itself sent {failure.lag_ms:.1f} ms late (p99) where the SLO was missed"
    if failure.generator_percent >= GENERATOR_LIMIT_PERCENT:
        return (
            f"the load generator used {failure.generator_percent:.0f} % of its core where the SLO was missed"
        )
    return ""


def lag_explains(search: Search, failure: Outcome) -> bool:
    """Whether the generator's own lag was large, and the step would have met the SLO without it."""
    if failure.lag_ms is None or failure.p99_ms is None:
        return False
    return failure.lag_ms > LAG_SHARE * search.slo_ms and failure.p99_ms - failure.lag_ms < search.slo_ms


def _never_met(search: Search, bracket: Bracket) -> str:
    seen = bracket.failure
    told = f"no rate meets the SLO of {search.slo_ms:g} ms"
    if seen is None:
        return told
    if seen.error_percent >= ERROR_LIMIT_PERCENT:
        return f"{told}: at {bracket.failing_rps:.0f} requests/s {seen.error_percent:.1f} % of them failed"
    if seen.p99_ms is None:
        return f"too few samples for a p99: {seen.answered} answers at {bracket.failing_rps:.0f} requests/s"
    return f"{told}: p99 was {seen.p99_ms:.1f} ms at {bracket.failing_rps:.0f} requests/s, the lowest tried"


def _too_slow(search: Search, top_rps: float) -> str:
    return (
        f"too few samples for a p99: {top_rps:.0f} requests/s give fewer than {ANSWERS_NEEDED} answers"
        f" in the {search.step_limit_s:g} s of a step"
    )


@dataclass(slots=True)
class Hunt:
    """A search under way: the step it waits for, the steps behind it, and at the end what it found."""

    search: Search
    step: Step | None = None
    trail: list[tuple[Step, Outcome]] = field(default_factory=list)
    finding: Finding | None = None
    _moves: Generator[Step, Outcome, Finding] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._moves = procedure(self.search)
        self.step = next(self._moves)

    def learn(self, outcome: Outcome) -> None:
        """Take in what the awaited step showed. ValueError: none is awaited."""
        if self.step is None:
            raise ValueError("the search is over")
        self.trail.append((self.step, outcome))
        try:
            self.step = self._moves.send(outcome)
        except StopIteration as end:
            self.step, self.finding = None, end.value
