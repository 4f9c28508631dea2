"""From a digest to its summary: cells, comparisons, gates and noise. Pure."""

from dataclasses import replace

import polars as pl

from loadtests.analysis import gates
from loadtests.analysis.cells import cells
from loadtests.analysis.comparisons import comparisons
from loadtests.analysis.digest import Digest, steal_percent
from loadtests.analysis.estimators import Measured, measured_in
from loadtests.analysis.loads import loads
from loadtests.analysis.precision import widths
from loadtests.analysis.summary import RunInfo, RunNoise, Summary
from loadtests.analysis.twins import against_twins, biases
from loadtests.config.metrics import COSTS
from loadtests.config.profiles import headline


def summarise(digest: Digest, run: RunInfo) -> Summary:
    """All that a report needs, out of the digest of the raw samples."""
    measured, found = measured_in(digest, run.workers, run.seed), gates.inspect(digest, run)
    reasons, noise = gates.reasons(found), noise_of(digest, measured, run)
    return Summary(
        run=run,
        cells=tuple(cells(measured, reasons, run, noise.bias)),
        comparisons=tuple(comparisons(measured, reasons, run, bias=noise.bias)),
        gates=tuple(found),
        noise=noise,
        loads=tuple(loads(digest, measured.tails, reasons, run)),
    )


def headline_widths(digest: Digest, run: RunInfo) -> dict[str, float]:
    """scenario -> how far the primary intervals reach: all that a run steers by, and no more."""
    pair = headline(run.claims)
    if pair is None:
        return {}
    names = {*run.launches(pair.a), *run.launches(pair.b), *run.twins, *run.twins.values()}
    own = replace(digest, slices=digest.slices.filter(pl.col("contestant").is_in(names)))
    measured, reasons = measured_in(own, run.workers, run.seed), gates.reasons(gates.inspect(own, run))
    bias = noise_of(own, measured, run).bias
    return widths(comparisons(measured, reasons, replace(run, claims=(pair,)), COSTS, bias))


def noise_of(digest: Digest, measured: Measured, run: RunInfo) -> RunNoise:
    """Stolen time, and every twin against its original."""
    against = against_twins(measured, run)
    return RunNoise(steal_percent(digest.slices, run.cpus), against, biases(against))
