"""The raw samples of a run: four Polars frames per round, kept as Parquet files.

Every report is rebuilt from these files. Times are nanoseconds of CLOCK_MONOTONIC.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from io import BytesIO
from pathlib import Path

import polars as pl
from polars.datatypes import DataType, DataTypeClass

from loadtests.errors import SuiteError

Schema = Mapping[str, DataTypeClass | DataType]


class Failure(IntEnum):
    """Why a request has no valid answer, as kept in the column `failure`."""

    NONE = 0
    CONNECT = 1
    RESET = 2
    TIMEOUT = 3
    MALFORMED = 4
    STATUS = 5
    BODY = 6


REQUESTS: Schema = {
    "slice": pl.Int32,
    "due_ns": pl.Int64,
    "sent_ns": pl.Int64,
    "end_ns": pl.Int64,
    "status": pl.Int16,
    "bytes": pl.Int32,
    "body_bytes": pl.Int32,
    "variant": pl.Int16,
    "failure": pl.Int8,
}
"""One row per measured request; in a closed loop a request is due when it is sent."""

SLICES: Schema = {
    "round": pl.Int32,
    "slice": pl.Int32,
    "block": pl.Int32,
    "scenario": pl.String,
    "contestant": pl.String,
    "mode": pl.String,
    "rate_rps": pl.Float64,
    "concurrency": pl.Int32,
    "start_ns": pl.Int64,
    "stop_ns": pl.Int64,
    "drained_ns": pl.Int64,
    "warmup_ns": pl.Int64,
    "warmup_requests": pl.Int32,
    "client_requests": pl.Int32,
    "server_requests": pl.Int64,
    "connections": pl.Int32,
    "server_cpu_ns": pl.Int64,
    "generator_cpu_ns": pl.Int64,
    "steal_ms": pl.Float64,
    "planned_requests": pl.Int32,
    "own_load": pl.Float64,
    "warmup_failures": pl.Int32,
    "gen0_count": pl.Int64,
    "gen0_ns": pl.Int64,
    "gen1_count": pl.Int64,
    "gen1_ns": pl.Int64,
    "gen2_count": pl.Int64,
    "gen2_ns": pl.Int64,
    "gen2_cpu_ns": pl.Int64,
    "gen2_longest_ns": pl.Int64,
    "database_cpu_ns": pl.Int64,
    "redis_cpu_ns": pl.Int64,
    "partner_cpu_ns": pl.Int64,
    "server_cpus_busy_ns": pl.Int64,
    "load_cpus_busy_ns": pl.Int64,
}
"""One row per slice; the CPU times and `steal_ms` span `start_ns` to `drained_ns`, `warmup_ns` the load before it.

planned_requests: how many the plan asked for, None where the time was planned. own_load: in mode `curve`, the rate as a
share of the server's own closed throughput. gen*: garbage collections by generation in all processes of the server,
from start to drained; None where it can't tell. *_busy_ns: what all used of the servers' CPUs and of the load's CPUs,
which are those of the load generator, PostgreSQL, Redis and the partner service. None for services that the user runs.
"""

ANSWERS: Schema = {
    "slice": pl.Int32,
    "place": pl.Int32,
    "variant": pl.Int16,
    "status": pl.Int16,
    "fits": pl.Boolean,
    "digest": pl.String,
    "body": pl.String,
}
"""Some measured requests of each slice, drawn at random, the same for all contestants of a block: their answers.

place: the request's number within its slice. fits: whether the body is what the scenario says of it. digest: of the
body as canonical JSON, without what may differ; body: that text, cut off where it is long.
"""

SERVERS: Schema = {
    "contestant": pl.String,
    "pss_kib": pl.Int64,
    "start_s": pl.Float64,
    "argv": pl.String,
    "processes": pl.Int32,
    "private_kib": pl.Int64,
}
"""One row per contestant, taken at the end of the round."""

SCHEMAS: Mapping[str, Schema] = {
    "answers": ANSWERS,
    "requests": REQUESTS,
    "servers": SERVERS,
    "slices": SLICES,
}
ADDED = frozenset((*list(SLICES)[list(SLICES).index("planned_requests") :], "private_kib"))
"""Columns that runs of version 0.2 and before lack; they are read as null, and `answers` as empty."""
LAST_FILE = "slices"  # written last: where it exists, the round is whole


@dataclass(frozen=True, slots=True)
class Measurement:
    """The frames of one round, with the columns of REQUESTS, SLICES, SERVERS and ANSWERS."""

    requests: pl.DataFrame
    slices: pl.DataFrame
    servers: pl.DataFrame
    answers: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ANSWERS))


@dataclass(frozen=True, slots=True)
class Samples:
    """The frames of one or more rounds; all have the column `round`; `slice` is unique within its round."""

    requests: pl.DataFrame
    slices: pl.DataFrame
    servers: pl.DataFrame
    answers: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"round": pl.Int32, **ANSWERS}))


@dataclass(frozen=True, slots=True)
class RunStore:
    """The samples below one run's folder: `samples/round-000.requests.parquet` and so on."""

    folder: Path

    def save_round(self, index: int, measurement: Measurement) -> None:
        """Write the round's files; it counts as finished once the last of them is in place. SuiteError: no room."""
        try:
            for kind in SCHEMAS:
                self._write(self._path(index, kind), conform(getattr(measurement, kind), SCHEMAS[kind]))
        except SuiteError:
            for kind in SCHEMAS:  # no half rounds
                self._path(index, kind).unlink(missing_ok=True)
            raise

    def finished_rounds(self) -> int:
        """How many rounds, counted from round 0 without a gap, are whole."""
        index = 0
        while self._path(index, LAST_FILE).exists():
            index += 1
        return index

    def rounds(self) -> Iterator[Samples]:
        """The finished rounds in order, one in memory at a time; raises as `round` does."""
        for index in range(self.finished_rounds()):
            yield self.round(index)

    def round(self, index: int) -> Samples:
        """One finished round. SuiteError: a file does not hold what its schema says."""
        try:
            frames = {kind: self._read(index, kind) for kind in SCHEMAS}
            return of_round(Measurement(**frames), index)
        except (pl.exceptions.PolarsError, OSError) as error:
            text = str(error).splitlines()[0]
            raise SuiteError(
                f"{self._samples}: the samples cannot be read ({text}); run the bench again"
            ) from error

    @property
    def _samples(self) -> Path:
        return self.folder / "samples"

    def _path(self, index: int, kind: str) -> Path:
        return self._samples / f"round-{index:03d}.{kind}.parquet"

    def _read(self, index: int, kind: str) -> pl.DataFrame:
        path = self._path(index, kind)
        if kind == "answers" and not path.exists():
            return pl.DataFrame(schema=ANSWERS)
        return pl.read_parquet(path)

    def _write(self, path: Path, frame: pl.DataFrame) -> None:
        partial = path.with_suffix(".partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            held = BytesIO()  # Python reports a full disk more clearly than Polars
            frame.write_parquet(held)
            partial.write_bytes(held.getvalue())  # the very bytes, uncopied; a view would outlive a failure
            partial.replace(path)
        except (pl.exceptions.PolarsError, OSError) as error:
            partial.unlink(missing_ok=True)
            text = str(error).splitlines()[0]
            raise SuiteError(f"{path}: cannot be written ({text})") from error


def of_round(measurement: Measurement, index: int) -> Samples:
    """What was measured as the samples of round `index`; SuiteError names what does not fit the schemas."""
    number = pl.lit(index, pl.Int32)
    return Samples(
        **{
            kind: conform(
                getattr(measurement, kind).with_columns(round=number), {"round": pl.Int32, **schema}
            )
            for kind, schema in SCHEMAS.items()
        }
    )


def conform(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """The frame with exactly the schema's columns and types; SuiteError names what does not fit.

    Columns of ADDED that it lacks are null.
    """
    try:
        lacking = [pl.lit(None).alias(name) for name in schema if name in ADDED - {*frame.columns}]
        whole = frame.with_columns(lacking)
        return whole.select(pl.col(name).cast(kind) for name, kind in schema.items())
    except pl.exceptions.PolarsError as error:
        raise SuiteError(f"samples do not fit their schema: {str(error).splitlines()[0]}") from error
