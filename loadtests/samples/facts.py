"""The facts of one slice as a record: a row of the frame `slices`."""

from dataclasses import dataclass

import polars as pl

from loadtests.samples.store import SLICES


@dataclass(frozen=True, slots=True)
class SliceFacts:
    """What was planned and measured of a slice; SLICES has one column per field."""

    round: int
    slice: int
    block: int
    scenario: str
    contestant: str
    mode: str
    rate_rps: float | None
    concurrency: int
    start_ns: int
    stop_ns: int
    drained_ns: int
    warmup_ns: int
    warmup_requests: int
    client_requests: int
    server_requests: int | None
    connections: int
    server_cpu_ns: int | None
    generator_cpu_ns: int
    steal_ms: float

    @property
    def span_ns(self) -> int:
        """From the first request that was due to the last answer."""
        return self.drained_ns - self.start_ns


def facts_in(slices: pl.DataFrame) -> list[SliceFacts]:
    """One record per row, by slice; slices: with the columns of SLICES."""
    return [SliceFacts(**row) for row in slices.select(list(SLICES)).sort("slice").to_dicts()]
