"""Precision as a promise: where a run measures more, when it is precise enough, and how much is left to do. Pure.

What is promised is the half-width of the plain 95 % intervals of the primary family: 0.02 means that the interval
reaches from ratio / 1.02 to ratio x 1.02. Only widths are looked at, never the ratios, so a run does not stop because
of its result. A width varies by chance too: `MIN_ROUNDS` keeps a lucky start from ending a run (its coverage is
simulated in tests/analysis/test_precision.py).
"""

from collections.abc import Iterable, Mapping
from math import exp, inf, log

from loadtests.analysis.summary import Comparison
from loadtests.plan.budget import MIN_ROUNDS

MOST_WEIGHT = 4.0  # at most this many times a scenario's usual blocks: rounds must stay short


def half_width(comparison: Comparison) -> float:
    """The reach of the plain interval as a fraction of the ratio; infinite without an interval."""
    low, high = comparison.low_single, comparison.high_single
    return exp(log(high / low) / 2) - 1 if low and high else inf


def widths(comparisons: Iterable[Comparison]) -> dict[str, float]:
    """scenario -> the widest half-width among its primary comparisons; invalid ones do not count."""
    widest: dict[str, float] = {}
    for one in comparisons:
        if one.family == "primary" and one.verdict != "invalid":
            widest[one.scenario] = max(widest.get(one.scenario, 0.0), half_width(one))
    return widest


def reached(found: Mapping[str, float], wanted: float, rounds: int) -> bool:
    """Whether every scenario's interval is narrow enough, after enough rounds to trust a width."""
    return rounds >= MIN_ROUNDS and bool(found) and max(found.values()) <= wanted


def weights(found: Mapping[str, float], wanted: float, rounds: int) -> dict[str, float]:
    """scenario -> how many times its usual blocks the next round gives it.

    Before MIN_ROUNDS all get their usual blocks. Then a scenario that is narrow enough gets none, and its share goes to
    the others, in proportion to the square of their width: the time that each still needs.
    """
    if rounds < MIN_ROUNDS:
        return {}
    needs = {name: min(width, 1.0) ** 2 for name, width in found.items() if width > wanted}
    shares = len(found) / sum(needs.values()) if needs else 0.0
    return {name: min(MOST_WEIGHT, needs.get(name, 0.0) * shares) for name in found}


def more_s(width: float, wanted: float, elapsed_s: float) -> float:
    """How many more seconds like those so far it takes: a width falls with the square root of the rounds."""
    return elapsed_s * max(0.0, (width / wanted) ** 2 - 1)
