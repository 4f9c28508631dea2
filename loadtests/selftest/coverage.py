"""Coverage by simulation: runs drawn with the noise, the pauses and the launches that this selftest measured.

What is drawn are both headline contestants, each as it was measured, and held is the interval of their ratio. Launches
form two groups where those of `itself` did.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1, sqrt

import numpy as np

from loadtests.analysis.costs import Costs, Slices, costs_in, log_ratios, pause_figure, slices_of
from loadtests.analysis.digest import digest
from loadtests.analysis.estimates import FloatArray
from loadtests.analysis.mixture import Groups, two_groups
from loadtests.analysis.simulate import NoiseModel, spans
from loadtests.analysis.simulate_pauses import Server, drawn_slices
from loadtests.config.contestants import twin_name
from loadtests.runs.paired_study import CPU, NO_LIMIT_PERCENT
from loadtests.selftest.a_vs_a import SCENARIOS
from loadtests.selftest.records import Check, as_figures
from loadtests.selftest.setting import Setting

RUNS = 4000
SIZES = ((8, 2), (22, 1), (22, 8))  # rounds and blocks, of a quick run and of longer ones
LOW, HIGH = 0.93, 0.97
Launches = dict[str, FloatArray]
"""Scenario -> log cost without pauses in each slice, shape (rounds, 2 launches, blocks)."""


@dataclass(frozen=True, slots=True)
class Row:
    """Runs of one size in one scenario; `a` and `b` say how each contestant was drawn."""

    scenario: str
    rounds: int
    blocks: int
    coverage_percent: float
    a: str
    b: str


def check(setting: Setting) -> Check:
    """For each scenario of `itself` the coverage of runs of several sizes."""
    setting.on_step("coverage by simulation")
    costs = costs_in(digest(setting.store("itself").rounds(), NO_LIMIT_PERCENT, 1), {})
    a, b = (one.name for one in setting.headliners)
    return judged(rows_of(costs, a, b))


def rows_of(costs: Costs, a: str, b: str) -> list[Row]:
    """A row for each scenario and size."""
    of_a, of_b = servers(costs, a, b), servers(costs, b, a)
    return [
        Row(
            scenario,
            rounds,
            blocks,
            100 * covered(of_a[scenario], of_b[scenario], rounds, blocks, _requests(costs, scenario, a)),
            f"{a}: {in_words(of_a[scenario])}",
            f"{b}: {in_words(of_b[scenario])}",
        )
        for scenario in SCENARIOS
        for rounds, blocks in SIZES
    ]


def in_words(one: Server) -> str:
    """A server's noise and pauses, in percent of a request's cost; spreads are standard deviations."""
    paused = one.pause / one.period
    parts = [
        f"launches {100 * one.noise.launch:.1f} %, slices {100 * one.noise.block:.1f} %",
        f"{100 * one.share:.0f} % of the launches {100 * expm1(one.extra):.1f} % dearer" if one.share else "",
        f"pauses {100 * paused / (one.cost + paused):.1f} %, every {one.period:.0f} requests"
        if paused
        else "",
    ]
    return "; ".join(filter(None, parts))


def covered(a: Server, b: Server, rounds: int, blocks: int, requests: int) -> float:
    """The share of drawn runs whose interval holds the true ratio; each round has two launches, as in a run."""
    rng = np.random.default_rng((1, rounds, blocks))
    drawn = [drawn_slices(rng, one, RUNS, rounds, 2, blocks, requests) for one in (a, b)]
    (low, high), truth = spans(log_ratios(*drawn)), a.log_cost - b.log_cost
    return float(np.mean((low <= truth) & (truth <= high)))


def servers(costs: Costs, name: str, other: str) -> dict[str, Server]:
    """Scenario -> the contestant as it was measured; other: one that was launched in the same rounds."""
    own, others = (
        {scenario: _logs(_slices(costs, scenario, one)) for scenario in SCENARIOS} for one in (name, other)
    )
    groups = two_groups(levels(own, others))
    launch = launch_spread(own, groups)
    return {scenario: server(costs, name, scenario, launch, groups) for scenario in SCENARIOS}


def levels(own: Launches, others: Launches) -> FloatArray:
    """How dear each launch was, shape (launches,): logarithms, over scenarios, against the median launch of its round.

    Of the four launches of a round the median moves with the machine, hardly with one that is dearer than others.
    """
    both = [_centred(launches) for launches in (own, others)]
    found = both[0] - np.median(np.concatenate(both, axis=1), axis=1, keepdims=True)
    return np.asarray(found[~np.isnan(found)], dtype=np.float64)


def _centred(launches: Launches) -> FloatArray:
    """The mean over scenarios of each launch's log cost, less what is usual, shape (rounds, 2)."""
    each = [logs.mean(axis=2) for logs in launches.values()]
    found: FloatArray = np.mean([one - np.nanmedian(one) for one in each], axis=0)
    return found


def launch_spread(own: Launches, groups: Groups | None) -> float:
    """The standard deviation of launches, of those of one group where there are two, beyond the noise of their slices.

    Of one group: what the two launches of a round differ (a one-way layout: Searle, Casella and McCulloch 1992, 3.5).
    """
    of_slices = sum(block_spread(logs) ** 2 / logs.shape[2] for logs in own.values()) / len(own) ** 2
    if groups:
        return sqrt(max(0.0, groups.spread**2 - of_slices))
    apart = np.mean([np.diff(logs.mean(axis=2), axis=1) for logs in own.values()], axis=0)
    return sqrt(max(0.0, float(np.nanvar(apart, ddof=1)) / 2 - of_slices))


def block_spread(logs: FloatArray) -> float:
    """The standard deviation of slices within a launch, without what hits both launches of a block."""
    return sqrt(float(np.nanmean(np.diff(logs, axis=1).var(axis=2, ddof=1))) / 2)


def server(costs: Costs, name: str, scenario: str, launch: float, groups: Groups | None) -> Server:
    """The server as these slices show it; one that did not pause never does."""
    slices, launches = _slices(costs, scenario, name), (name, twin_name(name))
    requests = float(np.nansum(slices.requests))
    period = pause_figure(costs, scenario, "requests_between_pauses", launches).value or requests
    return Server(
        cost=float(np.nansum(slices.clean)) / requests,
        pause=float(np.nansum(slices.pause)) / requests * period,
        period=period,
        noise=NoiseModel(launch, block_spread(_logs(slices))),
        share=groups.share if groups else 0.0,
        extra=groups.extra if groups else 0.0,
    )


def judged(rows: Sequence[Row]) -> Check:
    """All coverages within the limits."""
    found = [one.coverage_percent for one in rows]
    return Check(
        name="coverage",
        title="Coverage by simulation",
        limit=f"95 % intervals hold the truth in {LOW:.0%} to {HIGH:.0%} of {RUNS} drawn runs",
        ok=all(100 * LOW <= one <= 100 * HIGH for one in found) if found else None,
        summary="; ".join(
            [
                f"{min(found):.1f} to {max(found):.1f} % with noise and pauses as measured here",
                rows[0].a,
                rows[0].b,
            ]
        )
        if found
        else "",
        figures=as_figures(rows),
    )


def _requests(costs: Costs, scenario: str, name: str) -> int:
    return round(float(np.nanmedian(_slices(costs, scenario, name).requests)))


def _slices(costs: Costs, scenario: str, name: str) -> Slices:
    return slices_of(costs, scenario, CPU, ((name, twin_name(name)),))[1][0]


def _logs(slices: Slices) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        logs: FloatArray = np.where(slices.clean > 0, np.log(slices.clean / slices.requests), np.nan)
    return logs
