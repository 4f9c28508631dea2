"""Cells: one metric of one contestant in one scenario, over all rounds. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

from loadtests.analysis.estimates import Figure
from loadtests.analysis.estimators import Measured, figure
from loadtests.analysis.gates import Reasons
from loadtests.analysis.summary import Cell, RunInfo
from loadtests.config.metrics import METRICS, loop_of

UNMEASURED = "not measured: no answer, or no reading of the server's processes"


def cells(
    measured: Measured, reasons: Reasons, run: RunInfo, bias: Mapping[str, float] = MappingProxyType({})
) -> list[Cell]:
    """One per scenario, contestant and metric; bias: metric -> the systematic part of its error, as a fraction."""
    return [
        _cell(scenario, contestant, metric, found.widened(bias.get(metric, 0.0)), reasons)
        for scenario, contestant, metric in measured.places
        for found in [figure(measured, scenario, metric, run.launches(contestant))]
    ]


def _cell(scenario: str, contestant: str, metric: str, found: Figure, reasons: Reasons) -> Cell:
    why = reasons.get((scenario, contestant, loop_of(metric)), ())
    unmeasured = () if found.value is not None or found.reasons else (UNMEASURED,)
    return Cell(
        scenario=scenario,
        contestant=contestant,
        metric=metric,
        unit=METRICS[metric].unit,
        value=found.value,
        low=found.low,
        high=found.high,
        rounds=found.rounds,
        slices=found.slices,
        valid=not why,
        reasons=(*why, *found.reasons, *unmeasured),
    )
