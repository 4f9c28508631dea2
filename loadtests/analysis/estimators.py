"""The one place that chooses the estimator of a metric: costs of the closed loop, latencies, others. Pure."""

from dataclasses import dataclass

import polars as pl

from loadtests.analysis.estimates import Figure, Ratio
from loadtests.analysis.readings import Launches, Readings, block_figure, block_ratio, readings_in
from loadtests.config.metrics import kind_of


@dataclass(frozen=True, slots=True)
class Measured:
    """All that is estimated from."""

    readings: Readings

    @property
    def places(self) -> list[tuple[str, str, str]]:
        """Every (scenario, contestant, metric) that there is something of, in order."""
        return sorted(self.readings)

    @property
    def taken(self) -> set[tuple[str, str]]:
        """Every (scenario, metric) that there is something of."""
        return {(scenario, metric) for scenario, _, metric in self.readings}

    def answered(self, contestant: str) -> set[str]:
        """The scenarios of a contestant."""
        return {scenario for scenario, name, _ in self.readings if name == contestant}


def measured_in(observations: pl.DataFrame) -> Measured:
    """What observations alone hold: nothing of pauses, and latencies by round."""
    return Measured(readings_in(observations))


def ratio(measured: Measured, scenario: str, metric: str, a: Launches, b: Launches) -> Ratio | None:
    """The ratio of two contestants, a / b; None where they have nothing in common."""
    match kind_of(metric):
        case _:
            return block_ratio(measured.readings, scenario, metric, a, b)


def figure(measured: Measured, scenario: str, metric: str, launches: Launches) -> Figure:
    """One metric of one contestant in one scenario."""
    match kind_of(metric):
        case _:
            return block_figure(measured.readings, scenario, metric, launches)
