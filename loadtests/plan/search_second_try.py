"""The rule of the second try, by which runs of version 0.2 and before were searched. Pure.

A step that fails is tried a second time, which decides. A step with even odds so passes three times of four, and the
capacity comes out too high; new runs search by search_two_of_three.
"""

from collections.abc import Generator
from dataclasses import replace
from math import sqrt

from loadtests.plan.search import LOWER, LOWERS, RAISE, RAISES, Saturation, Search, Step
from loadtests.plan.search_result import Bracket
from loadtests.samples.outcome import Outcome

Moves = Generator[Step, Outcome, Bracket]


def bracketed(search: Search, saturation: Saturation) -> Moves:
    """The ladder, then the bisection. Rungs above one that failed twice are tried once, for the curve."""
    bracket = yield from _climb(search, saturation.throughput_rps)
    if bracket.passing_rps is not None and bracket.failing_rps is not None:
        bracket = yield from _bisect(search, bracket, bracket.passing_rps, bracket.failing_rps)
    return bracket


def _climb(search: Search, top_rps: float) -> Moves:
    """The ladder, extended upwards if every rung passes, downwards if every rung fails."""
    bracket, fractions = Bracket(), search.fractions(top_rps)
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
