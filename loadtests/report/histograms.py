"""Latencies as HdrHistogram logs, which its tools read, plot and merge (github.com/HdrHistogram/HdrHistogram)."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import polars as pl
from hdrh.histogram import HdrHistogram

from loadtests.analysis.digest import Digest
from loadtests.analysis.histograms import HIGHEST_NS, SIGNIFICANT_DIGITS, Histogram, merged
from loadtests.analysis.summary import RunInfo

LEGEND = '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"'
CELL = ["scenario", "contestant", "mode", "own_load"]


def logs_of(digest: Digest, run: RunInfo) -> Mapping[str, str]:
    """File name -> its text: a cell's times in ns over all rounds and launches, one interval as long as the run.

    Response times have no tag, which is what tools read by default; service times have the tag `service`.
    """
    originals = pl.col("contestant").replace(dict(run.twins))
    cells = digest.pools.select(originals, "scenario", "mode", "own_load").unique().sort(CELL)
    return {
        f"{scenario}.{contestant}.{mode}{'' if own_load is None else f'-{own_load:g}'}.hlog": _log(
            digest.pools.filter(
                (pl.col("scenario") == scenario)
                & (originals == contestant)
                & (pl.col("mode") == mode)
                & pl.col("own_load").eq_missing(own_load)
            ),
            run,
        )
        for scenario, contestant, mode, own_load in cells.select(CELL).iter_rows()
    }


def encoded(held: Histogram) -> str:
    """The histogram in HdrHistogram's compressed format, version 2, in base64."""
    histogram = HdrHistogram(1, HIGHEST_NS, SIGNIFICANT_DIGITS)
    if held.samples:
        np.ctypeslib.as_array(histogram.counts)[held.places] = held.counts
        histogram.set_internal_tacking_values(int(held.places[0]), int(held.places[-1]), held.samples)
    return str(histogram.encode().decode())


def _log(rows: pl.DataFrame, run: RunInfo) -> str:
    began = datetime.fromisoformat(run.started_at)
    lines = [
        "#[Histogram log format version 1.3]",
        f"#[StartTime: {began.timestamp():.3f} (seconds since epoch), {run.started_at}]",
        LEGEND,
    ]
    for kind, tag in (("response", ""), ("service", "Tag=service,")):
        held = merged(rows.filter(pl.col("kind") == kind))
        lines.append(f"{tag}0.000,{run.duration_s:.3f},{held.max_ns / 1e6:.6f},{encoded(held)}")
    return "\n".join(lines) + "\n"
