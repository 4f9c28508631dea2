"""What a run would see: from the noise of a few rounds to the width of an interval after some minutes. Pure.

A round's value is the median of its blocks, so its spread has two parts (a model with two variance components, Searle,
Casella and McCulloch 1992, chapter 3): launches differ, and blocks do. The blocks' part is drawn from the blocks' own
residuals, for rounds of any size. The launches' part is what the rounds spread beyond that, once it is more than chance
would give (a chi-squared test at 5 %), and never less than LAUNCH_SPREAD.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, hypot, sqrt

import numpy as np
from numpy.random import Generator
from scipy.special import chdtri, stdtrit

from loadtests.analysis.estimates import MIN_ROUNDS, Estimate, FloatArray, paired_ratio
from loadtests.plan.plan import Plan
from loadtests.report import formats

LAUNCH_SPREAD = 0.01  # two launches of one program differ by about 1 %: memory layout, hash seeds
POWER = 0.8
MIDDLE = (
    0.25  # a round's middle is the mean of its middle half: less its median, too many residuals would be 0
)
DRAWS = 2000


@dataclass(frozen=True, slots=True)
class AaSpread:
    """How far A/A measurements spread, in log ratios: one server against a second launch of itself.

    ratio: should be near 1. spread: standard deviation of the rounds' medians. launches: the part of it that more
    blocks would not reduce. residuals: the blocks less the middle of their round.
    """

    ratio: float
    rounds: int
    spread: float
    launches: float
    residuals: FloatArray

    def round_spread(self, blocks: int) -> float:
        """The standard deviation of the values of rounds with so many blocks."""
        return hypot(self.launches, median_spread(self.residuals, blocks, np.random.default_rng(0)))


@dataclass(frozen=True, slots=True)
class Forecast:
    """A run of two contestants and one scenario, CPU time per request. Fractions: 0.04 is 4 %.

    half_width: of the 95 % interval. visible: the difference that POWER of such runs would find.
    """

    profile: str
    budget_s: float
    rounds: int
    blocks: int
    half_width: float
    visible: float


def aa_spread(log_ratios: Sequence[FloatArray]) -> AaSpread | None:
    """The spread of paired blocks, shape (blocks,) per round; None for fewer than MIN_ROUNDS rounds with blocks."""
    rounds = [blocks for blocks in log_ratios if len(blocks)]
    if len(rounds) < MIN_ROUNDS:
        return None
    residuals = np.concatenate([blocks - _middle(blocks) for blocks in rounds])
    spread = float(np.std([np.median(blocks) for blocks in rounds], ddof=1))
    typical = round(float(np.median([len(blocks) for blocks in rounds])))
    within = median_spread(residuals, typical, np.random.default_rng(0))
    return AaSpread(
        paired_ratio(rounds).value, len(rounds), spread, _launches(spread, within, len(rounds)), residuals
    )


def median_spread(residuals: FloatArray, blocks: int, rng: Generator) -> float:
    """The standard deviation of medians of so many residuals, by drawing them with replacement."""
    return float(np.median(rng.choice(residuals, (DRAWS, blocks)), axis=1).std())


def forecast(spread: AaSpread, plan: Plan, round_s: float, usable_s: float) -> Forecast | None:
    """What the plan would see in rounds of `round_s` seconds each; None when too few fit into the usable time."""
    rounds = min(int(usable_s / round_s), plan.profile.max_rounds)
    if rounds < MIN_ROUNDS:
        return None
    blocks = plan.blocks
    error = spread.round_spread(blocks) / sqrt(rounds)
    _, high = Estimate(0.0, error, rounds).interval()
    reach = (high or 0.0) + float(stdtrit(rounds - 1, POWER)) * error
    return Forecast(
        plan.profile.name, plan.profile.budget_s, rounds, blocks, exp(high or 0.0) - 1, exp(reach) - 1
    )


def share(fraction: float) -> str:
    """A fraction in percent with the two digits that a forecast is worth: `4.1 %`."""
    return formats.share(float(f"{fraction:.2g}"))


def describe_spread(spread: AaSpread) -> str:
    """What was measured, in words."""
    return (
        f"One bare server against a second launch of itself, {spread.rounds} rounds: {spread.ratio:.3f} times the CPU"
        f" time per request, the rounds spread by {share(exp(spread.spread) - 1)}, single blocks by"
        f" {share(exp(float(spread.residuals.std())) - 1)}."
    )


def describe_assumptions() -> str:
    """What a forecast rests on, in words."""
    return (
        "For two contestants, one scenario, CPU time per request, if the machine stays as it was just now. A visible"
        f" difference is one that {share(POWER)} of such runs would find. The width falls with the square root of"
        " the rounds, each with the launches, load and gaps that `bench` plans. Two launches differ by"
        f" {share(LAUNCH_SPREAD)} or more. Contestants that differ much in speed may spread two or three times as"
        " much; latencies do."
    )


def _middle(blocks: FloatArray) -> float:
    cut = int(MIDDLE * len(blocks))
    return float(np.sort(blocks)[cut : len(blocks) - cut].mean())


def _launches(spread: float, within: float, rounds: int) -> float:
    by_chance = within**2 * float(chdtri(rounds - 1, 0.05)) / (rounds - 1)
    beyond = spread**2 - within**2 if spread**2 > by_chance else 0.0
    return max(LAUNCH_SPREAD, sqrt(beyond))
