"""Raw samples -> their digest: round by round, a few rows per slice, so that a run of any length fits into memory.

Nothing is judged here. Reports, gates and verdicts are made from digests alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import polars as pl

from loadtests.analysis.answers import ANSWERS_DIGEST, compared
from loadtests.analysis.histograms import HISTOGRAM, IntArray, frame_of, histogram_of
from loadtests.samples.outcome import lags_ns
from loadtests.samples.store import SERVERS, SLICES, Failure, Samples, Schema, conform

CELL = ["scenario", "contestant"]
KINDS = {kind: kind.name.lower() for kind in Failure if kind != Failure.NONE}
"""The failures, and the column of a digest's slices that counts each."""

SLICES_DIGEST: Schema = {
    **SLICES,
    "aside": pl.Boolean,
    "requests": pl.Int64,
    "answered": pl.Int64,
    **dict.fromkeys(KINDS.values(), pl.Int64),
    "busy_ns": pl.Int64,
    "had_ns": pl.Int64,
    "used_ns": pl.Int64,
}
"""One row per slice. `aside`: more CPU time was stolen than the limit allows. `busy_ns`: first send to last answer.

`had_ns`: users x time from the first send to the stop; `used_ns`: how much of it they spent waiting for answers.
"""

POOLS: Schema = {
    "round": pl.Int32,
    "scenario": pl.String,
    "contestant": pl.String,
    "mode": pl.String,
    "own_load": pl.Float64,
    "kind": pl.String,
    **HISTOGRAM,
}
"""One row per round, cell, mode of open loop, own load and kind of time: a histogram over slices that are not aside.

Response time = end - due, service time = end - sent, both of answers alone; lag = sent - the moment when it was due and
a user was free, of all requests.
"""

BODIES: Schema = {
    "round": pl.Int32,
    "scenario": pl.String,
    "contestant": pl.String,
    "variant": pl.Int16,
    "answered": pl.Int64,
    "bytes": pl.Int64,
    "succeeded": pl.Int64,
    "body_bytes": pl.Int64,
}
"""One row per round, cell and variant of request: answers and the sum of their sizes; those
below status 400, and the sum of their bodies' sizes."""

OPEN = ("open", "curve")
"""The modes of an open loop: at the same rate for all, and at a share of each server's own throughput."""

_OF_SLICE = ["round", "slice", "mode", "own_load", "concurrency", "stop_ns", "aside"]
_ANSWERED = pl.col("failure") == Failure.NONE
_SUCCEEDED = pl.col("status") < 400
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Digest:
    """The digest of many rounds.

    Frames with the columns of SLICES_DIGEST, POOLS, BODIES, ANSWERS_DIGEST, and SERVERS with `round`.
    """

    slices: pl.DataFrame
    pools: pl.DataFrame
    bodies: pl.DataFrame
    answers: pl.DataFrame
    servers: pl.DataFrame

    @property
    def load_s(self) -> float:
        """How long servers were under load, in seconds: slices until drained, and their warm-ups."""
        spans_ns = self.slices["drained_ns"] - self.slices["start_ns"] + self.slices["warmup_ns"]
        return float(spans_ns.sum()) / 1e9

    @property
    def rounds(self) -> int:
        """How many rounds it covers."""
        return self.slices["round"].n_unique()


def digest(rounds: Iterable[Samples], steal_limit_percent: float, cpus: int) -> Digest:
    """The digest of these samples, given in pieces of whole rounds; only one piece is in memory at a time."""
    one = partial(_digest, steal_limit_percent=steal_limit_percent, cpus=cpus)
    return merge(map(one, rounds))  # a loop would keep a piece until the next one has been read


def merge(parts: Iterable[Digest]) -> Digest:
    """Digests of different rounds as one."""
    held = list(parts)
    return Digest(
        _stacked([one.slices for one in held], SLICES_DIGEST),
        _stacked([one.pools for one in held], POOLS),
        _stacked([one.bodies for one in held], BODIES),
        _stacked([one.answers for one in held], ANSWERS_DIGEST),
        _stacked([one.servers for one in held], {"round": pl.Int32, **SERVERS}),
    )


def steal_percent(slices: pl.DataFrame, cpus: int) -> float | None:
    """Stolen time over the time of the slices whose meter was read, in percent of all CPUs; None without any."""
    read = slices.drop_nulls("steal_ms")
    span_ns = int((read["drained_ns"] - read["start_ns"]).sum())
    return 100 * float(read["steal_ms"].sum()) * _NS_PER_MS / cpus / span_ns if span_ns > 0 else None


def _stacked(frames: list[pl.DataFrame], schema: Schema) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=dict(schema)), *(conform(frame, schema) for frame in frames)])


def _digest(samples: Samples, steal_limit_percent: float, cpus: int) -> Digest:
    slices = _with_aside(samples.slices, steal_limit_percent, cpus)
    cells = slices.partition_by("round", *CELL, maintain_order=True)
    parts = [_digest_cell(own, samples.requests) for own in cells]
    tallied, pools, bodies = ([part[place] for part in parts] for place in range(3))
    return Digest(
        _stacked(tallied, SLICES_DIGEST),
        _stacked(pools, POOLS),
        _stacked(bodies, BODIES),
        compared(samples.answers, samples.slices),
        samples.servers,
    )


def _digest_cell(slices: pl.DataFrame, requests: pl.DataFrame) -> tuple[pl.DataFrame, ...]:
    """Slices, pools and bodies of one cell of one round: cell by cell, since a join needs several times the memory."""
    own = requests.filter(pl.col("slice").is_in(slices["slice"].implode()))
    joined = own.join(slices.select(*_OF_SLICE), on=["round", "slice"], how="inner")
    cell = [
        pl.lit(value).alias(name) for name, value in slices.select("round", *CELL).row(0, named=True).items()
    ]
    return (
        _tallied(slices, joined),
        *(one.with_columns(cell) for one in (_pools(joined), _bodies(joined))),
    )


def _with_aside(slices: pl.DataFrame, steal_limit_percent: float, cpus: int) -> pl.DataFrame:
    """A slice is set aside by its stolen time alone, never by its result."""
    span_ms = (pl.col("drained_ns") - pl.col("start_ns")) / _NS_PER_MS
    stolen = 100 * pl.col("steal_ms") / cpus > steal_limit_percent * span_ms
    return slices.with_columns(aside=stolen.fill_null(value=False))


def _tallied(slices: pl.DataFrame, requests: pl.DataFrame) -> pl.DataFrame:
    first_ns, last_ns = pl.col("sent_ns").min(), pl.col("end_ns").max()
    until_ns = pl.min_horizontal(last_ns, pl.col("stop_ns").first())
    within_ns = pl.min_horizontal("end_ns", "stop_ns") - pl.min_horizontal("sent_ns", "stop_ns")
    tallies = requests.group_by("round", "slice").agg(
        requests=pl.len(),
        answered=_ANSWERED.sum(),
        busy_ns=last_ns - first_ns,
        had_ns=(until_ns - first_ns) * pl.col("concurrency").first(),
        used_ns=within_ns.sum(),
        **{name: (pl.col("failure") == kind).sum() for kind, name in KINDS.items()},
    )
    counts = ["requests", "answered", *KINDS.values()]
    tallied = slices.join(tallies, on=["round", "slice"], how="left")
    return tallied.with_columns(pl.col(counts).fill_null(0))


def _pools(requests: pl.DataFrame) -> pl.DataFrame:
    """The histograms of one cell of one round."""
    opened = requests.filter(pl.col("mode").is_in(OPEN) & ~pl.col("aside")).sort("slice", "due_ns", "sent_ns")
    parts = opened.partition_by("mode", "own_load", as_dict=True, maintain_order=True)
    held = {
        (*key, kind): histogram_of(one)
        for key, part in parts.items()
        for kind, one in _times_ns(part).items()
    }
    names = {name: POOLS[name] for name in ("mode", "own_load", "kind")}
    return pl.concat(
        [pl.DataFrame(list(held), names, orient="row"), frame_of(list(held.values()))], how="horizontal"
    )


def _times_ns(ordered: pl.DataFrame) -> dict[str, IntArray]:
    """Every kind of time, of requests in the order of their slices and, within each, in which they fell due."""
    answers = ordered.filter(_ANSWERED).select("due_ns", "sent_ns", "end_ns")
    due_ns, sent_ns, end_ns = (column.to_numpy() for column in answers)
    starts = np.flatnonzero(np.diff(ordered["slice"].to_numpy(), prepend=-1))
    lags = [_lags_ns(ordered[begin:end]) for begin, end in pairwise([*starts.tolist(), ordered.height])]
    return {"response": end_ns - due_ns, "service": end_ns - sent_ns, "lag": np.concatenate(lags)}


def _lags_ns(of_slice: pl.DataFrame) -> IntArray:
    return lags_ns(of_slice, int(of_slice["concurrency"][0]))


def _bodies(requests: pl.DataFrame) -> pl.DataFrame:
    answered = requests.filter(_ANSWERED)
    return answered.group_by("variant").agg(
        answered=pl.len(),
        bytes=pl.col("bytes").sum(),
        succeeded=_SUCCEEDED.sum(),
        body_bytes=pl.col("body_bytes").filter(_SUCCEEDED).sum(),
    )
