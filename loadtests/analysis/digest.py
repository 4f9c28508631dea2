"""Raw samples -> their digest: round by round, a few rows per slice, so that a run of any length fits into memory.

Nothing is judged here. Reports, gates and verdicts are made from digests alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from loadtests.config.metrics import PERCENTILES
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
    "answered": pl.Int64,
    **{f"{kind}_{name}_ms": pl.Float64 for kind in ("response", "service", "lag") for name in PERCENTILES},
}
"""One row per round and cell: percentiles over the answers of its open slices that are not set aside.

Response time = end - due, service time = end - sent, lag = sent - the moment when it was due and a user was free.
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

_ANSWERED = pl.col("failure") == Failure.NONE
_SUCCEEDED = pl.col("status") < 400
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Digest:
    """The digest of many rounds: frames with the columns of SLICES_DIGEST, POOLS, BODIES, and SERVERS with `round`."""

    slices: pl.DataFrame
    pools: pl.DataFrame
    bodies: pl.DataFrame
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
    parts = [_digest(samples, steal_limit_percent, cpus) for samples in rounds]
    return merge(parts)


def merge(parts: Iterable[Digest]) -> Digest:
    """Digests of different rounds as one."""
    held = list(parts)
    return Digest(
        _stacked([one.slices for one in held], SLICES_DIGEST),
        _stacked([one.pools for one in held], POOLS),
        _stacked([one.bodies for one in held], BODIES),
        _stacked([one.servers for one in held], {"round": pl.Int32, **SERVERS}),
    )


def needed_samples(quantile: float) -> int:
    """How many samples a pool must hold for the quantile: five beyond it, 5 / (1 - q)."""
    return round(5 / (1 - quantile))


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
        _stacked(tallied, SLICES_DIGEST), _stacked(pools, POOLS), _stacked(bodies, BODIES), samples.servers
    )


def _digest_cell(slices: pl.DataFrame, requests: pl.DataFrame) -> tuple[pl.DataFrame, ...]:
    """Slices, pools and bodies of one cell of one round: cell by cell, since a join needs several times the memory."""
    own = requests.filter(pl.col("slice").is_in(slices["slice"].implode()))
    joined = _joined(own, slices)
    return _tallied(slices, joined), _pools(joined), _bodies(joined)


def _with_aside(slices: pl.DataFrame, steal_limit_percent: float, cpus: int) -> pl.DataFrame:
    """A slice is set aside by its stolen time alone, never by its result."""
    span_ms = (pl.col("drained_ns") - pl.col("start_ns")) / _NS_PER_MS
    stolen = 100 * pl.col("steal_ms") / cpus > steal_limit_percent * span_ms
    return slices.with_columns(aside=stolen.fill_null(value=False))


def _joined(requests: pl.DataFrame, slices: pl.DataFrame) -> pl.DataFrame:
    columns = ["round", "slice", *CELL, "mode", "concurrency", "stop_ns", "aside"]
    return requests.join(slices.select(columns), on=["round", "slice"], how="inner")


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
    opened = requests.filter((pl.col("mode") == "open") & ~pl.col("aside"))
    lagged = pl.concat(
        [_with_lag(one) for one in opened.partition_by("round", "slice")] or [_with_lag(opened)]
    )
    times_ns = {
        "response": pl.col("end_ns") - pl.col("due_ns"),
        "service": pl.col("end_ns") - pl.col("sent_ns"),
    }
    enough = {name: _ANSWERED.sum() >= needed_samples(q) for name, q in PERCENTILES.items()}
    percentiles = {
        f"{kind}_{name}_ms": pl.when(enough[name]).then(
            (time_ns / _NS_PER_MS).filter(_ANSWERED).quantile(q, "linear")
        )
        for kind, time_ns in times_ns.items()
        for name, q in PERCENTILES.items()
    }
    lags = {
        f"lag_{name}_ms": (pl.col("lag_ns") / _NS_PER_MS).quantile(q, "linear")
        for name, q in PERCENTILES.items()
    }
    return lagged.group_by("round", *CELL).agg(answered=_ANSWERED.sum(), **percentiles, **lags)


def _with_lag(scheduled: pl.DataFrame) -> pl.DataFrame:
    """The requests of one open slice in the order in which they fell due, with `lag_ns`."""
    ordered = scheduled.sort("due_ns", "sent_ns")
    users = int(ordered["concurrency"].to_numpy().max(initial=1))
    return ordered.with_columns(lag_ns=pl.Series(lags_ns(ordered, users), dtype=pl.Int64))


def _bodies(requests: pl.DataFrame) -> pl.DataFrame:
    answered = requests.filter(_ANSWERED)
    return answered.group_by("round", *CELL, "variant").agg(
        answered=pl.len(),
        bytes=pl.col("bytes").sum(),
        succeeded=_SUCCEEDED.sum(),
        body_bytes=pl.col("body_bytes").filter(_SUCCEEDED).sum(),
    )
