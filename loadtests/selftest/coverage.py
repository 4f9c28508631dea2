"""Coverage by simulation: runs drawn with the noise, the pauses and the launches that this selftest measured.

A contestant is drawn against a server that never varies: noise of its own would only bring the ratio nearer to a normal
distribution. Launches are bimodal where those of `itself` were.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1, sqrt

import numpy as np

from loadtests.analysis.costs import Costs, Slices, costs_in, medians, pause_figure, slices_of
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
    """Runs of one size, drawn as one contestant was measured in one scenario.

    launch_percent, block_percent: standard deviations between launches and between slices. dearer_percent: the share of
    launches that cost `extra_percent` more; 0 where launches form one group.
    """

    noise_of: str
    scenario: str
    launch_percent: float
    block_percent: float
    dearer_percent: float
    extra_percent: float
    pause_percent: float
    requests_between_pauses: float | None
    rounds: int
    blocks: int
    coverage_percent: float


def check(setting: Setting) -> Check:
    """For each headline contestant against itself and each scenario: the coverage of runs of several sizes."""
    setting.on_step("coverage by simulation")
    costs = costs_in(digest(setting.store("itself").rounds(), NO_LIMIT_PERCENT, 1), {})
    names = [one.name for one in setting.headliners]
    return judged([row for one, other in (names, names[::-1]) for row in rows_of(costs, one, other)])


def rows_of(costs: Costs, name: str, other: str) -> list[Row]:
    """The rows of a contestant; other: one that was launched in the same rounds, which tells how they differed."""
    own, others = (
        {scenario: _logs(_slices(costs, scenario, one)) for scenario in SCENARIOS} for one in (name, other)
    )
    groups = two_groups(levels(own, others))
    launch = launch_spread(own, groups)
    return [
        _row(
            name,
            scenario,
            server(costs, name, scenario, launch, groups),
            _requests(costs, scenario, name),
            *size,
        )
        for scenario in SCENARIOS
        for size in SIZES
    ]


def _row(name: str, scenario: str, drawn: Server, requests: int, rounds: int, blocks: int) -> Row:
    return Row(
        noise_of=name,
        scenario=scenario,
        launch_percent=100 * drawn.noise.launch,
        block_percent=100 * drawn.noise.block,
        dearer_percent=100 * drawn.share,
        extra_percent=100 * expm1(drawn.extra),
        pause_percent=100 * drawn.pause / drawn.period / (drawn.cost + drawn.pause / drawn.period),
        requests_between_pauses=drawn.period if drawn.pause else None,
        rounds=rounds,
        blocks=blocks,
        coverage_percent=100 * covered(drawn, rounds, blocks, requests),
    )


def covered(drawn: Server, rounds: int, blocks: int, requests: int) -> float:
    """The share of drawn runs whose interval holds the true cost; each round has two launches, as in a run."""
    rng = np.random.default_rng((1, rounds, blocks))
    slices = drawn_slices(rng, drawn, RUNS, rounds, 2, blocks, requests)
    low, high = spans(medians(slices.logs) + slices.dilations)
    return float(np.mean((low <= drawn.log_cost) & (drawn.log_cost <= high)))


def levels(own: Launches, others: Launches) -> FloatArray:
    """How dear each launch was, shape (launches,): logarithms against the other server in its round, over scenarios."""
    each = [logs.mean(axis=2) - others[name].mean(axis=(1, 2))[:, None] for name, logs in own.items()]
    found = np.mean([one - one.mean() for one in each], axis=0)
    return np.asarray(found[~np.isnan(found)], dtype=np.float64)


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
    groups = {one.noise_of: one for one in rows if one.dearer_percent}
    parts = (
        [
            f"{min(found):.1f} to {max(found):.1f} % with noise and pauses as measured here",
            *(
                f"{one.dearer_percent:.0f} % of the launches of {name} cost {one.extra_percent:.1f} % more"
                for name, one in groups.items()
            ),
        ]
        if found
        else []
    )
    return Check(
        name="coverage",
        title="Coverage by simulation",
        limit=f"95 % intervals hold the truth in {LOW:.0%} to {HIGH:.0%} of {RUNS} drawn runs",
        ok=all(100 * LOW <= one <= 100 * HIGH for one in found) if found else None,
        summary="; ".join(parts),
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
