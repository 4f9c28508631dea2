"""The decision on one comparison: a verdict on its interval, and how long a run would decide it. Pure."""

from math import isfinite, log

from loadtests.analysis.estimates import MIN_ROUNDS, Ratio
from loadtests.analysis.precision import half_width, more_s
from loadtests.analysis.summary import Comparison, RunInfo, Verdict
from loadtests.config.metrics import METRICS

LONGEST_HOURS = 24  # beyond this a forecast says no more than that


def decided(
    metric: str, ratio: Ratio | None, low: float | None, high: float | None, run: RunInfo
) -> tuple[Verdict, str]:
    """The verdict on a ratio whose adjusted interval is low to high, and a note on it."""
    margin = run.margin
    if low is None or high is None:
        rounds = len(ratio.rounds) if ratio else 0
        return (
            "inconclusive",
            f"rounds with enough samples: {rounds} of the {MIN_ROUNDS} needed; take a longer profile",
        )
    if low >= 1 / (1 + margin) and high <= 1 + margin:
        return "equivalent", f"the whole interval is within {margin:.0%}"
    if low > 1 or high < 1:
        a_wins = (low > 1) == METRICS[metric].higher_is_better
        certain = low > 1 + margin or high < 1 / (1 + margin)
        return ("a_better" if a_wins else "b_better"), ("" if certain else f"maybe by less than {margin:.0%}")
    return "inconclusive", f"a run of {_how_much_more(low, high, run)} would decide it"


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
