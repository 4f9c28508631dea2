"""Latency against load: how long each server takes at shares of its own closed throughput. Pure."""

import polars as pl

from loadtests.analysis.digest import Digest
from loadtests.analysis.estimates import Figure
from loadtests.analysis.gates import Reasons
from loadtests.analysis.summary import Load, RunInfo
from loadtests.analysis.tails import Tail, Tails
from loadtests.config.metrics import PERCENTILES


def loads(digest: Digest, tails: Tails, reasons: Reasons, run: RunInfo) -> list[Load]:
    """One per scenario, contestant and own load, in this order, both launches together; none without such slices."""
    curves = digest.slices.filter((pl.col("mode") == "curve") & ~pl.col("aside"))
    rates = curves.group_by("scenario", "contestant", "own_load").agg(pl.col("rate_rps").mean())
    return [
        _load(scenario, contestant, own_load, rate_rps, tail, reasons)
        for scenario, contestant, own_load, rate_rps in rates.sort(pl.all()).iter_rows()
        if contestant not in run.twins
        and (tail := tails.of(scenario, run.launches(contestant), "response", own_load))
    ]


def _load(
    scenario: str, contestant: str, own_load: float, rate_rps: float, tail: Tail, reasons: Reasons
) -> Load:
    found: dict[str, Figure] = {name: tail.figure(name) for name in PERCENTILES}
    why = reasons.get((scenario, contestant, "curve"), ())
    return Load(
        scenario=scenario,
        contestant=contestant,
        own_load=own_load,
        rate_rps=rate_rps,
        p50_ms=found["p50"].value,
        p50_low_ms=found["p50"].low,
        p50_high_ms=found["p50"].high,
        p95_ms=found["p95"].value,
        p99_ms=found["p99"].value,
        p99_low_ms=found["p99"].low,
        p99_high_ms=found["p99"].high,
        p999_ms=found["p999"].value,
        max_ms=tail.longest().value,
        samples=tail.samples,
        rounds=len(tail.rounds),
        valid=not why,
        reasons=why,
    )
