"""The decision on one comparison: a verdict on its interval, and how long a run would decide it. Pure."""

from dataclasses import dataclass
from math import isfinite, log

from loadtests.analysis.estimates import MIN_ROUNDS, Interval, Ratio
from loadtests.analysis.precision import half_width, more_s
from loadtests.analysis.summary import Comparison, Finding, RunInfo, Verdict
from loadtests.config.metrics import METRICS

ABOUT_EQUAL_MARGINS = (
    3  # undecided, but about equal: when the plain interval reaches no further than three margins
)
LONGEST_HOURS = 24  # beyond this a forecast says no more than that


@dataclass(frozen=True, slots=True)
class Decision:
    """A finding, the coarser verdict that follows from it, and a note. `within`: see Comparison."""

    verdict: Verdict
    finding: Finding
    within: float | None = None
    note: str = ""


def decided(metric: str, ratio: Ratio | None, plain: Interval, deciding: Interval, run: RunInfo) -> Decision:
    """The decision on a ratio by its deciding interval; where that says nothing, by how far its plain one reaches.

    plain: the 95 % interval. deciding: the same, or wider where it is adjusted for a family.
    """
    margin, (low, high), reach = run.margin, deciding, _reach(plain)
    if low is None or high is None or reach is None:
        rounds = len(ratio.rounds) if ratio else 0
        note = f"rounds with enough samples: {rounds} of the {MIN_ROUNDS} needed; take a longer profile"
        return Decision("inconclusive", "too_noisy" if ratio else "not_measured", note=note)
    if low >= 1 / (1 + margin) and high <= 1 + margin:
        return Decision("equivalent", "equivalent", margin, f"the whole interval is within {margin:.0%}")
    if low > 1 or high < 1:
        certain = low > 1 + margin or high < 1 / (1 + margin)
        return _better((low > 1) == METRICS[metric].higher_is_better, certain, margin)
    note = f"a run of {_how_much_more(low, high, run)} would decide it"
    if reach <= ABOUT_EQUAL_MARGINS * margin:
        return Decision("inconclusive", "about_equal", reach, note)
    return Decision("inconclusive", "too_noisy", note=note)


def _better(a_wins: bool, certain: bool, margin: float) -> Decision:
    note = "" if certain else f"maybe by less than {margin:.0%}"
    if a_wins:
        return Decision("a_better", "a_better" if certain else "a_slightly_better", note=note)
    return Decision("b_better", "b_better" if certain else "b_slightly_better", note=note)


def _reach(interval: Interval) -> float | None:
    """How far from 1 an interval reaches, as a fraction: 0.05 is from 1 / 1.05 to 1.05."""
    low, high = interval
    return None if not low or not high else max(high, 1 / low) - 1


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


def still_needed(one: Comparison, wanted: float, run: RunInfo) -> str:
    """How far a comparison is from the wanted precision; empty where it has been reached."""
    width = half_width(one)
    if one.verdict == "invalid" or width <= wanted:
        return ""
    text = f"not yet as precise as asked: {100 * width:.1f} % to either side"
    if isfinite(width):
        text += f"; {100 * wanted:g} % takes {_duration(more_s(width, wanted, run.duration_s))} more"
    return text
