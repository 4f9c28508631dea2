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
    planned_requests: int | None = None
    own_load: float | None = None
    warmup_failures: int | None = None
    gen0_count: int | None = None
    gen0_ns: int | None = None
    gen1_count: int | None = None
    gen1_ns: int | None = None
    gen2_count: int | None = None
    gen2_ns: int | None = None
    gen2_cpu_ns: int | None = None
    gen2_longest_ns: int | None = None
    database_cpu_ns: int | None = None
    redis_cpu_ns: int | None = None
    partner_cpu_ns: int | None = None
    server_cpus_busy_ns: int | None = None
    load_cpus_busy_ns: int | None = None

    @property
    def span_ns(self) -> int:
        """From the first request that was due to the last answer."""
        return self.drained_ns - self.start_ns


def facts_in(slices: pl.DataFrame) -> list[SliceFacts]:
    """One record per row, by slice; slices: with the columns of SLICES."""
    return [SliceFacts(**row) for row in slices.select(list(SLICES)).sort("slice").to_dicts()]
