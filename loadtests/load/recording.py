"""What is recorded of the requests of a slice, and the frame made of it: pure, done between slices."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadtests.load.canonical import canonical, unpacked
from loadtests.load.requests import Prepared
from loadtests.samples.store import ANSWERS, REQUESTS, Failure, conform


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
BODY_CHARACTERS = 2000  # of a kept answer


def body_misses(bodies: Sequence[tuple[int, bytes]], requests: Sequence[Prepared]) -> int:
    """How many bodies, given with the number of their request, are not the JSON that it expects."""
    return sum(
        requests[variant].json and not has_keys(body, requests[variant].keys) for variant, body in bodies
    )


def has_keys(body: bytes, keys: Sequence[str]) -> bool:
    """Whether the body, which may be gzip's, is valid JSON and, if keys are expected, an object that has them all."""
    try:
        plain = unpacked(body)
        value = json.loads(plain) if plain or keys else {}
    except ValueError:
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


def answers_frame(
    slice_index: int, kept: Sequence[tuple[int, bytes]], rows: Sequence[Row], requests: Sequence[Prepared]
) -> pl.DataFrame:
    """The answers frame of one slice. kept: bodies of measured answers, each with its request's number in the slice.

    Requests are numbered in the order in which they were sent, whatever the order of the rows. `fits` is null where
    the status was not the expected one: that is a failure by itself.
    """
    sent = sorted(rows, key=lambda row: row.sent_ns) if kept else rows
    found = [_answer(place, body, sent[place], requests[sent[place].variant]) for place, body in sorted(kept)]
    frame = pl.DataFrame([{"slice": slice_index, **one} for one in found], dict(ANSWERS))
    return conform(frame, ANSWERS)


def _answer(place: int, body: bytes, row: Row, request: Prepared) -> dict[str, Any]:
    text = canonical(body, request.varies, is_json=request.json)
    fits = not request.json or has_keys(body, request.keys)
    return {
        "place": place,
        "variant": row.variant,
        "status": row.status,
        "fits": fits if row.status == request.status else None,
        "digest": hashlib.sha256(text).hexdigest(),
        "body": text.decode(errors="replace")[:BODY_CHARACTERS],
    }


def _judged(
    columns: dict[str, NDArray[np.int64]], wanted: NDArray[np.int64], misses: int
) -> NDArray[np.int64]:
    failure = columns["failure"].copy()
    unexpected = columns["status"] != wanted[columns["variant"]]
    failure[(failure == Failure.NONE) & unexpected] = Failure.STATUS
    failure[np.flatnonzero(failure == Failure.NONE)[:misses]] = Failure.BODY
    return failure
