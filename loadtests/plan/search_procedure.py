"""The search as a procedure that asks for one step of load after the other. Pure.

`procedure` is a coroutine: it yields the step to drive next, is sent what that step showed, and returns the result. The
load process drives it live; a report replays it over the stored samples and gets the same result.
"""

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from math import sqrt

from loadtests.plan.search import LOWER, LOWERS, OVERLOAD, RAISE, RAISES, Search, SearchResult, Step, surge_s
from loadtests.plan.search_result import Bracket, result_of, too_slow
from loadtests.samples.outcome import Outcome

Moves = Generator[Step, Outcome, Bracket]


def procedure(search: Search) -> Generator[Step, Outcome, SearchResult]:
    """Closed loop, ladder, bisection, surge.

    A step that fails is tried a second time, and the second try decides: a stall of the machine must not send the
    search the wrong way. Rungs above one that failed twice are tried once, for the curve.
    """
    closed = yield Step("closed", None, search.step_s)
    top_rps = closed.throughput_rps
    if not top_rps:
        return SearchResult(None, None, "nothing was answered in the closed loop", "unanswered")
    if not search.can_judge(top_rps):
        return too_slow(search, top_rps)
    bracket = yield from _climb(search, top_rps)
    if bracket.passing_rps is not None and bracket.failing_rps is not None:
        bracket = yield from _bisect(search, bracket, bracket.passing_rps, bracket.failing_rps)
    if bracket.passing_rps is not None:
        yield Step("surge", OVERLOAD * bracket.passing_rps, surge_s(search))
    return result_of(search, bracket)


def _climb(search: Search, top_rps: float) -> Moves:
    """The ladder, extended upwards if every rung passes, downwards if every rung fails."""
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


@dataclass(slots=True)
class OngoingSearch:
    """A search in progress: the step it waits for, the steps done, and finally its result."""

    search: Search
    step: Step | None = None
    trail: list[tuple[Step, Outcome]] = field(default_factory=list)
    result: SearchResult | None = None
    _moves: Generator[Step, Outcome, SearchResult] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._moves = procedure(self.search)
        self.step = next(self._moves)

    def learn(self, outcome: Outcome) -> None:
        """Take the outcome of the awaited step. ValueError: none is awaited."""
        if self.step is None:
            raise ValueError("the search is over")
        self.trail.append((self.step, outcome))
        try:
            self.step = self._moves.send(outcome)
        except StopIteration as end:
            self.step, self.result = None, end.value
