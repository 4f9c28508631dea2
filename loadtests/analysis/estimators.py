"""The one place that chooses the estimator of a metric: costs of a loop, latencies, others. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import polars as pl

from loadtests.analysis.costs import Costs, cost_figure, cost_ratio, costs_in, pause_figure
from loadtests.analysis.digest import Digest
from loadtests.analysis.estimates import Figure, Ratio
from loadtests.analysis.observations import observe
from loadtests.analysis.readings import Launches, Readings, block_figure, block_ratio, readings_in
from loadtests.analysis.tails import Tails, latency, percentile_ratio, tails_in
from loadtests.config.metrics import AT_HALF_LOAD, HALF_LOAD, PAUSES, WITH_DATABASE, kind_of


@dataclass(frozen=True, slots=True)
class Measured:
    """All that is estimated from. costs: of closed slices; half_load: of open ones, at a rate common to all."""

    readings: Readings
    costs: Costs = field(default_factory=Costs)
    half_load: Costs = field(default_factory=Costs)
    tails: Tails = field(default_factory=Tails)

    @property
    def places(self) -> list[tuple[str, str, str]]:
        """Every (scenario, contestant, metric) that there is something of, in order."""
        paused = {(*cell, metric) for cell in self.costs.own for metric in PAUSES}
        half_load = {(*cell, AT_HALF_LOAD) for cell in self.half_load.own}
        metered = {
            (*cell, WITH_DATABASE)
            for cell, slices in self.costs.own.items()
            if slices[f"{WITH_DATABASE}:clean"].count()
        }
        return sorted({*self.readings, *paused, *half_load, *metered, *self.tails.places})

    @property
    def taken(self) -> set[tuple[str, str]]:
        """Every (scenario, metric) that there is something of."""
        return {(scenario, metric) for scenario, _, metric in self.places}

    def answered(self, contestant: str) -> set[str]:
        """The scenarios of a contestant."""
        return {scenario for scenario, name, _ in self.places if name == contestant}


def measured_in(digest: Digest, workers: Mapping[str, int] = MappingProxyType({}), seed: int = 0) -> Measured:
    """What a digest holds; workers: see `costs_in`, seed: see `tails_in`."""
    observations = observe(digest).with_columns(pl.col("value").fill_nan(None))
    return Measured(
        readings_in(observations),
        costs_in(digest, workers),
        costs_in(digest, workers, "open"),
        tails_in(digest, seed),
    )


def ratio(measured: Measured, scenario: str, metric: str, a: Launches, b: Launches) -> Ratio | None:
    """The ratio of two contestants, a / b; None where they have nothing in common."""
    match kind_of(metric):
        case "cost":
            return cost_ratio(*_of_loop(measured, scenario, metric), a, b)
        case "latency":
            return percentile_ratio(measured.tails, scenario, metric, a, b)
        case _:
            return block_ratio(measured.readings, scenario, metric, a, b)


def figure(measured: Measured, scenario: str, metric: str, launches: Launches) -> Figure:
    """One metric of one contestant in one scenario."""
    match kind_of(metric):
        case "cost":
            return cost_figure(*_of_loop(measured, scenario, metric), launches)
        case "pause":
            return pause_figure(measured.costs, scenario, metric, launches)
        case "latency":
            return latency(measured.tails, scenario, metric, launches)
        case _:
            return block_figure(measured.readings, scenario, metric, launches)


def _of_loop(measured: Measured, scenario: str, metric: str) -> tuple[Costs, str, str]:
    """The costs that a metric is one of, the scenario, and the cost's name there."""
    if metric.startswith(HALF_LOAD):
        return measured.half_load, scenario, metric.removeprefix(HALF_LOAD)
    return measured.costs, scenario, metric
