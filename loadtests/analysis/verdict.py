"""From a digest to its summary: cells, comparisons, gates and noise. Pure."""

from dataclasses import replace

import polars as pl

from loadtests.analysis import gates
from loadtests.analysis.cells import cells
from loadtests.analysis.comparisons import Readings, comparisons, ratio_in, readings_in
from loadtests.analysis.digest import Digest, steal_percent
from loadtests.analysis.observations import observe
from loadtests.analysis.precision import PROMISED, widths
from loadtests.analysis.summary import AaRatio, RunInfo, RunNoise, Summary
from loadtests.config.metrics import COMPARED, PER_PROCESS
from loadtests.config.profiles import headline
from loadtests.plan.plan import TWIN_SCENARIO


def summarise(digest: Digest, run: RunInfo) -> Summary:
    """All that a report needs, out of the digest of the raw samples."""
    observations = observe(digest).with_columns(pl.col("value").fill_nan(None))
    found = gates.inspect(digest, run)
    reasons = gates.reasons(found)
    return Summary(
        run=run,
        cells=tuple(cells(observations, reasons)),
        comparisons=tuple(comparisons(observations, reasons, run)),
        gates=tuple(found),
        noise=noise(digest, observations, run),
    )


def headline_widths(digest: Digest, run: RunInfo) -> dict[str, float]:
    """scenario -> how far the headline pair's promised intervals reach: all that a run steers by, and no more."""
    pair = headline(run.claims)
    if pair is None:
        return {}
    own = digest.slices.filter(pl.col("contestant").is_in([pair.a, pair.b]))
    measured = replace(digest, slices=own)
    observations = observe(measured).with_columns(pl.col("value").fill_nan(None))
    reasons = gates.reasons(gates.inspect(measured, run))
    return widths(comparisons(observations, reasons, replace(run, claims=(pair,)), PROMISED))


def noise(digest: Digest, observations: pl.DataFrame, run: RunInfo) -> RunNoise:
    """Stolen time, and every twin against its original."""
    measured = [metric for metric in COMPARED if metric not in PER_PROCESS]
    readings = readings_in(observations)
    return RunNoise(
        steal_percent=steal_percent(digest.slices, run.cpus),
        aa=tuple(
            _aa(readings, original, twin, metric)
            for twin, original in run.twins.items()
            for metric in measured
        ),
    )


def _aa(readings: Readings, original: str, twin: str, metric: str) -> AaRatio:
    ratio = ratio_in(readings, TWIN_SCENARIO, metric, original, twin)
    if ratio is None:
        return AaRatio(metric, None, None, None, original, "not measured: too few samples in a round")
    low, high = ratio.interval()
    return AaRatio(metric, ratio.value, low, high, original)
