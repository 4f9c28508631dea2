"""What is planned before a stretch of load and made of its rows after it: pure, done between slices."""

import gzip
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadtests.samples import REQUESTS, Failure, conform
from loadtests.scenarios import Prepared


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

Arrivals = Literal["poisson", "constant"]


def poisson_arrivals_ns(rate_rps: float, duration_s: float, seed: Sequence[int]) -> list[int]:
    """Arrival times of a Poisson process after its start, ascending.

    Given their number, which is Poisson, the arrivals are uniform and independent (Ross, Stochastic Processes, 2.3).
    """
    rng = np.random.default_rng(seed)
    count = rng.poisson(rate_rps * duration_s)
    times: list[int] = np.sort(rng.integers(0, max(1, round(duration_s * 1e9)), count)).tolist()
    return times


def constant_arrivals_ns(rate_rps: float, duration_s: float, seed: Sequence[int]) -> list[int]:
    """Evenly spaced arrival times after the start, ascending; the first is drawn from within one gap."""
    if rate_rps <= 0:
        return []
    gap_ns, until_ns = 1e9 / rate_rps, round(duration_s * 1e9)
    first_ns = gap_ns * np.random.default_rng(seed).random()
    count = max(0, ceil((until_ns - first_ns) / gap_ns))
    times: list[int] = np.floor(first_ns + gap_ns * np.arange(count)).astype(np.int64).tolist()
    return times


def arrivals_ns(kind: Arrivals, rate_rps: float, duration_s: float, seed: Sequence[int]) -> list[int]:
    """Arrival times of that kind, in nanoseconds after the start, ascending and before `duration_s`."""
    return ARRIVALS[kind](rate_rps, duration_s, seed)


def surge_ns(
    kind: Arrivals, rates_rps: tuple[float, float], spans_s: tuple[float, float], seed: Sequence[int]
) -> list[int]:
    """Arrival times of two rates in turn, each for its span, without a pause between them."""
    before = arrivals_ns(kind, rates_rps[0], spans_s[0], (*seed, 0))
    after = arrivals_ns(kind, rates_rps[1], spans_s[1], (*seed, 1))
    turn_ns = round(spans_s[0] * 1e9)
    return [*before, *(turn_ns + time_ns for time_ns in after)]


ARRIVALS: Mapping[Arrivals, Callable[[float, float, Sequence[int]], list[int]]] = {
    "poisson": poisson_arrivals_ns,
    "constant": constant_arrivals_ns,
}


def body_misses(bodies: Sequence[tuple[int, bytes]], requests: Sequence[Prepared]) -> int:
    """How many bodies, given with the number of their request, are not the JSON that it wants."""
    return sum(
        requests[variant].json and not has_keys(body, requests[variant].keys) for variant, body in bodies
    )


def has_keys(body: bytes, keys: Sequence[str]) -> bool:
    """Whether the body, which may be gzip's, is valid JSON and, if keys are wanted, an object that has them all."""
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

    An answer of another status than its request wants is a failure; `misses` counts wrong bodies in the warm-up,
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
