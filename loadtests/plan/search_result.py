"""What the bracket at the end of a search means: a capacity, or why there is none. Pure."""

from dataclasses import dataclass, replace
from math import sqrt

from loadtests.plan.search import (
    ERROR_LIMIT_PERCENT,
    GENERATOR_LIMIT_PERCENT,
    LAG_SHARE,
    Search,
    SearchResult,
)
from loadtests.samples.outcome import ANSWERS_NEEDED, Outcome


@dataclass(frozen=True, slots=True)
class Bracket:
    """The highest rate that passed and the lowest above it that failed, with what the failing one showed."""

    passing_rps: float | None = None
    failing_rps: float | None = None
    failure: Outcome | None = None

    def with_(self, rate_rps: float, outcome: Outcome, *, passed: bool) -> "Bracket":
        """The bracket after one more step; a higher rate that passes overrides failures below it."""
        if passed:
            above = self.failing_rps is not None and self.failing_rps > rate_rps
            return replace(self, passing_rps=rate_rps) if above else Bracket(rate_rps)
        if self.failing_rps is None or rate_rps < self.failing_rps:
            return Bracket(self.passing_rps, rate_rps, outcome)
        return self


def result_of(search: Search, bracket: Bracket) -> SearchResult:
    """None where the SLO was never met, never missed, or missed because of the load generator."""
    if bracket.passing_rps is None:
        text = _never_met(search, bracket)
        return SearchResult(None, bracket.failing_rps, text, "never met", failure=bracket.failure)
    if bracket.failing_rps is None or bracket.failure is None:
        reason = f"even {bracket.passing_rps:.0f} requests/s met the SLO, the highest rate tried"
        return SearchResult(None, None, reason, "never missed", bracket.passing_rps)
    found = SearchResult(
        capacity_of(search, bracket),
        bracket.failing_rps,
        passing_rps=bracket.passing_rps,
        failure=bracket.failure,
    )
    if reason := _disturbance(search, bracket.failure):
        return replace(found, capacity_rps=None, reason=reason, cause="generator")
    return found


def capacity_of(search: Search, bracket: Bracket) -> float | None:
    """The middle of the bracket; its lower end under the rule of the second try, or without an upper one."""
    if search.rule == "second try" or bracket.passing_rps is None or bracket.failing_rps is None:
        return bracket.passing_rps
    return sqrt(bracket.passing_rps * bracket.failing_rps)


def _disturbance(search: Search, failure: Outcome) -> str:
    """Why a failed step is the load generator's fault; empty if it is not."""
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
    text = f"no rate meets the SLO of {search.slo_ms:g} ms"
    if seen is None:
        return text
    if seen.error_percent >= ERROR_LIMIT_PERCENT:
        return f"{text}: at {bracket.failing_rps:.0f} requests/s {seen.error_percent:.1f} % of them failed"
    if seen.p99_ms is None:
        return f"too few samples for a p99: {seen.answered} answers at {bracket.failing_rps:.0f} requests/s"
    return f"{text}: p99 was {seen.p99_ms:.1f} ms at {bracket.failing_rps:.0f} requests/s, the lowest tried"


def too_slow(search: Search, top_rps: float) -> SearchResult:
    """The result where no step could give enough answers for a p99."""
    reason = (
        f"too few samples for a p99: {top_rps:.0f} requests/s give fewer than {ANSWERS_NEEDED} answers"
        f" in the {search.step_limit_s:g} s of a step"
    )
    return SearchResult(None, None, reason, "too slow")
