"""Cells: one metric of one contestant in one scenario, over all rounds. Pure."""

import numpy as np
import polars as pl

from loadtests.analysis.estimates import FloatArray, geometric_interval
from loadtests.analysis.gates import Reasons
from loadtests.analysis.summary import Cell
from loadtests.config.metrics import METRICS, loop_of


def cells(observations: pl.DataFrame, reasons: Reasons) -> list[Cell]:
    """One per scenario, contestant and metric: the geometric mean over rounds of each round's median."""
    cell = ["scenario", "contestant", "metric"]
    medians = observations.group_by(*cell, "round", maintain_order=True).agg(
        pl.col("value").median(), measured=pl.col("value").count()
    )
    groups = medians.partition_by(cell, as_dict=True, maintain_order=True)
    return [_cell(str(key[0]), str(key[1]), str(key[2]), rows, reasons) for key, rows in groups.items()]


def _cell(scenario: str, contestant: str, metric: str, rounds: pl.DataFrame, reasons: Reasons) -> Cell:
    medians = rounds["value"].drop_nulls().to_numpy()
    value, low, high = _centre(medians, metric)
    why = reasons.get((scenario, contestant, loop_of(metric)), ())
    unmeasured = () if value is not None else (_why_unmeasured(metric),)
    return Cell(
        scenario=scenario,
        contestant=contestant,
        metric=metric,
        unit=METRICS[metric].unit,
        value=value,
        low=low,
        high=high,
        rounds=len(medians),
        slices=int(rounds["measured"].sum()),
        valid=not why,
        reasons=(*why, *unmeasured),
    )


def _why_unmeasured(metric: str) -> str:
    if loop_of(metric) != "closed":
        return "not measured: too few samples in a round"
    return "not measured: no answer, or no reading of the server's processes"


def _centre(medians: FloatArray, metric: str) -> tuple[float | None, float | None, float | None]:
    """Value and interval; for shares, where a zero is usual, an arithmetic mean without interval."""
    if len(medians) == 0:
        return None, None, None
    if metric == "error_percent" or not np.all(medians > 0):
        return float(medians.mean()), None, None
    return geometric_interval(list(medians))
