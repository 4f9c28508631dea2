"""What a gate looks at, and what it finds: both records."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

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
    answers: pl.DataFrame
    peers: pl.DataFrame
    run: RunInfo
    contestant: str

    def of_loop(self, loop: str) -> "Evidence":
        """What belongs to one loop: `closed`, `open` or `curve`. Bodies are pooled over all of them."""
        slices, pools, answers = (
            frame.filter(pl.col("mode") == loop) for frame in (self.slices, self.pools, self.answers)
        )
        return replace(self, slices=slices, pools=pools, answers=answers)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a gate found, its limit, and whether the value passes.

    ok None: it could not be checked, `note` says why; that is not the same as passed. value None: there is none.
    """

    value: float | None
    limit: float | None
    ok: bool | None
    note: str = ""


def not_checked(limit: float | None, note: str) -> Inspection:
    """What a gate finds that has nothing to look at."""
    return Inspection(None, limit, None, note)


def evidence_in(digest: Digest, run: RunInfo) -> Iterator[tuple[tuple[str, str], Evidence]]:
    """(scenario, contestant) and the evidence on it, in the order of the data."""
    pools = digest.pools.partition_by(CELL, as_dict=True)
    answers = digest.answers.partition_by(CELL, as_dict=True)
    peers = digest.bodies.partition_by("scenario", as_dict=True)
    for key, slices in digest.slices.partition_by(CELL, as_dict=True, maintain_order=True).items():
        scenario, contestant = str(key[0]), str(key[1])
        yield (
            (scenario, contestant),
            Evidence(
                slices=slices,
                pools=pools.get(key, digest.pools.clear()),
                answers=answers.get(key, digest.answers.clear()),
                peers=peers.get((scenario,), digest.bodies.clear()),
                run=run,
                contestant=contestant,
            ),
        )
