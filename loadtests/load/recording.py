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


class Kept(NamedTuple):
    """An answer that is kept: its request's place in the slice, the number of its row, and its body."""

    place: int
    row: int
    body: bytes


def has_keys(body: bytes, keys: Sequence[str]) -> bool:
    """Whether the body, which may be gzip's, is valid JSON and, if keys are expected, an object that has them all."""
    try:
        plain = unpacked(body)
        value = json.loads(plain) if plain or keys else {}
    except ValueError:
        return False
    return not keys or (isinstance(value, dict) and set(keys) <= value.keys())


def requests_frame(
    slice_index: int, rows: Sequence[Row], requests: Sequence[Prepared], kept: Sequence[Kept] = ()
) -> pl.DataFrame:
    """The requests frame of one slice.

    An answer of another status than its request expects is a failure, and so is a kept body that does not fit.
    """
    table = np.array(rows, dtype=np.int64).reshape(-1, len(COLUMNS)).T
    columns = dict(zip(COLUMNS, table, strict=True))
    misfits = [one.row for one in kept if not _fits(one.body, requests[rows[one.row].variant])]
    columns["failure"] = _judged(columns, np.array([one.status for one in requests]), misfits)
    return conform(pl.DataFrame({"slice": np.full(len(rows), slice_index), **columns}), REQUESTS)


def answers_frame(
    slice_index: int, kept: Sequence[Kept], rows: Sequence[Row], requests: Sequence[Prepared]
) -> pl.DataFrame:
    """The answers frame of one slice; `fits` is null where the status was not the expected one: a failure by itself."""
    found = [_answer(one, rows[one.row], requests) for one in sorted(kept)]
    return conform(pl.DataFrame([{"slice": slice_index, **one} for one in found], dict(ANSWERS)), ANSWERS)


def _answer(kept: Kept, row: Row, requests: Sequence[Prepared]) -> dict[str, Any]:
    request = requests[row.variant]
    text = canonical(kept.body, request.varies, is_json=request.json)
    return {
        "place": kept.place,
        "variant": row.variant,
        "status": row.status,
        "fits": _fits(kept.body, request) if row.status == request.status else None,
        "digest": hashlib.sha256(text).hexdigest(),
        "body": text.decode(errors="replace")[:BODY_CHARACTERS],
    }


def _fits(body: bytes, request: Prepared) -> bool:
    return not request.json or has_keys(body, request.keys)


def _judged(
    columns: dict[str, NDArray[np.int64]], wanted: NDArray[np.int64], misfits: Sequence[int]
) -> NDArray[np.int64]:
    failure = columns["failure"].copy()
    unexpected = columns["status"] != wanted[columns["variant"]]
    failure[(failure == Failure.NONE) & unexpected] = Failure.STATUS
    wrong = np.array(misfits, dtype=np.int64)
    failure[wrong[failure[wrong] == Failure.NONE]] = Failure.BODY
    return failure
