"""Made-up samples with one thing wrong, and what the gates make of them."""

from dataclasses import replace
from typing import Any

import polars as pl

from loadtests.analysis import gates
from loadtests.analysis.summary import GateResult, RunInfo
from loadtests.samples.store import Samples
from tests.support.frames import (
    MS,
    A,
    Piece,
    digested,
    run_of,
    samples_of,
)


def looked_at(samples: Samples, run: RunInfo | None = None, loop: str | None = None) -> dict[str, GateResult]:
    """What every gate finds on contestant A; in that loop, or in the one that there is."""
    found = gates.inspect(digested(samples), run or run_of())
    return {one.gate: one for one in found if one.contestant == A and loop in (None, one.loop)}


def found(gate: str, *pieces: Piece, run: RunInfo | None = None) -> GateResult:
    """What one gate finds on contestant A in these slices."""
    return looked_at(samples_of(*pieces), run)[gate]


def late(requests: int, by_ms: float, **changes: Any) -> Samples:
    """An open slice of which the last so many requests were sent late, though users were free."""
    samples = samples_of(Piece(mode="open", users=16, requests=100, gap_ms=5.0, **changes))
    is_last = pl.int_range(pl.len()) >= 100 - requests
    shift = pl.when(is_last).then(round(by_ms * MS)).otherwise(0)
    return replace(samples, requests=samples.requests.with_columns(pl.col("sent_ns", "end_ns") + shift))
