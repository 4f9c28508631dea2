"""Requests of a step or a surge, made up."""

from collections.abc import Sequence

import polars as pl

from loadtests.samples.facts import SliceFacts
from loadtests.samples.store import REQUESTS, Failure
from tests.support.frames import MS, SCENARIO, A

START_NS = 1_000 * MS


def requests_of(
    times_ms: Sequence[float], *, gap_ms: float = 1.0, failures: Sequence[Failure] = (), lag_ms: float = 0.0
) -> pl.DataFrame:
    """A request due every `gap_ms`, sent `lag_ms` later, answered after its time; the first ones fail as given."""
    kinds = [*failures, *[Failure.NONE] * (len(times_ms) - len(failures))]
    rows = []
    for place, (time_ms, kind) in enumerate(zip(times_ms, kinds, strict=True)):
        due = START_NS + round(place * gap_ms * MS)
        sent, end = due + round(lag_ms * MS), due + round(time_ms * MS)
        rows.append((0, due, sent, max(sent, end), 200, 100, 50, 0, int(kind)))
    return pl.DataFrame(rows, dict(REQUESTS), orient="row")


def facts_of(requests: pl.DataFrame, generator_cpu_ns: int = 0) -> SliceFacts:
    drained_ns = max(requests["end_ns"].to_list() or [START_NS])
    return SliceFacts(
        round=0,
        slice=0,
        block=0,
        scenario=SCENARIO,
        contestant=A,
        mode="open",
        rate_rps=None,
        concurrency=64,
        start_ns=START_NS,
        stop_ns=drained_ns,
        drained_ns=drained_ns,
        warmup_ns=0,
        warmup_requests=0,
        client_requests=requests.height,
        server_requests=None,
        connections=0,
        server_cpu_ns=None,
        generator_cpu_ns=generator_cpu_ns,
        steal_ms=0.0,
    )
