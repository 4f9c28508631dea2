"""What is recorded of the requests of a slice, and the frame made of it: pure, done between slices."""

import gzip
import json
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadtests.load.requests import Prepared
from loadtests.samples.store import REQUESTS, Failure, conform


class Row(NamedTuple):
    """One request: the columns of the requests frame but for `slice`."""

    due_ns: int
    sent_ns: int
    end_ns: int
    status: int
    bytes: int
    body_bytes: int
    variant: int
    failure: int


COLUMNS = Row._fields
_GZIP = b"\x1f\x8b"  # what its streams begin with


def body_misses(bodies: Sequence[tuple[int, bytes]], requests: Sequence[Prepared]) -> int:
    """How many bodies, given with the number of their request, are not the JSON that it expects."""
    return sum(
        requests[variant].json and not has_keys(body, requests[variant].keys) for variant, body in bodies
    )


def has_keys(body: bytes, keys: Sequence[str]) -> bool:
    """Whether the body, which may be gzip's, is valid JSON and, if keys are expected, an object that has them all."""
    try:
        plain = gzip.decompress(body) if body.startswith(_GZIP) else body
        value = json.loads(plain) if plain or keys else {}
    except (ValueError, OSError, EOFError, zlib.error):
        return False
    return not keys or (isinstance(value, dict) and set(keys) <= value.keys())


def requests_frame(
    slice_index: int, rows: Sequence[Row], requests: Sequence[Prepared], misses: int
) -> pl.DataFrame:
    """The requests frame of one slice.

    An answer of another status than its request expects is a failure; `misses` counts wrong bodies in the warm-up,
    and each makes one further row a failure.
    """
    table = np.array(rows, dtype=np.int64).reshape(-1, len(COLUMNS)).T
    columns = dict(zip(COLUMNS, table, strict=True))
    columns["failure"] = _judged(columns, np.array([one.status for one in requests]), misses)
    return conform(pl.DataFrame({"slice": np.full(len(rows), slice_index), **columns}), REQUESTS)


def _judged(
    columns: dict[str, NDArray[np.int64]], wanted: NDArray[np.int64], misses: int
) -> NDArray[np.int64]:
    failure = columns["failure"].copy()
    unexpected = columns["status"] != wanted[columns["variant"]]
    failure[(failure == Failure.NONE) & unexpected] = Failure.STATUS
    failure[np.flatnonzero(failure == Failure.NONE)[:misses]] = Failure.BODY
    return failure
