"""What a gate looks at, and what it finds: both records."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from loadtests.analysis.digest import CELL, Digest
from loadtests.analysis.summary import RunInfo

NO_METER = "not measured: no slice with a meter reading"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a gate looks at: one contestant's part of the digest in one scenario, and the run it belongs to.

    peers: the bodies of all contestants in that scenario.
    """

    slices: pl.DataFrame
    pools: pl.DataFrame
    peers: pl.DataFrame
    run: RunInfo
    contestant: str

    def only(self, mode: str) -> pl.DataFrame:
        """The slices of one mode."""
        return self.slices.filter(pl.col("mode") == mode)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a gate found, its limit, and whether the value passes. value None: not measured, `note` says why."""

    value: float | None
    limit: float | None
    ok: bool
    note: str = ""


def evidence_in(digest: Digest, run: RunInfo) -> Iterator[tuple[tuple[str, str], Evidence]]:
    """(scenario, contestant) and the evidence on it, in the order of the data."""
    pools = digest.pools.partition_by(CELL, as_dict=True)
    peers = digest.bodies.partition_by("scenario", as_dict=True)
    for key, slices in digest.slices.partition_by(CELL, as_dict=True, maintain_order=True).items():
        scenario, contestant = str(key[0]), str(key[1])
        own = pools.get(key, digest.pools.clear())
        others = peers.get((scenario,), digest.bodies.clear())
        yield (scenario, contestant), Evidence(slices, own, others, run, contestant)
