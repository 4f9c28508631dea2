"""Histograms of times in the layout of HdrHistogram with three significant digits: sparse and mergeable. Pure.

A time falls into a bucket, and stands for the bucket's upper end, as in every tool that reads such histograms: at most
1/1024 more than the time itself. Below 2,048 ns a bucket holds one value, above it 1,024 buckets an octave (Gil Tene's
HdrHistogram; tests/analysis/test_histograms.py holds the two against each other).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadtests.samples.store import Schema

IntArray = NDArray[np.int64]

SIGNIFICANT_DIGITS = 3
HIGHEST_NS = 3_600_000_000_000  # one hour, far beyond any timeout

HISTOGRAM: Schema = {
    "samples": pl.Int64,
    "max_ns": pl.Int64,
    "places": pl.List(pl.UInt16),
    "counts": pl.List(pl.UInt32),
}
"""Columns that hold a histogram: buckets that are not empty in ascending order, and how many times fell into each.

samples: the sum of the counts; max_ns: the longest time itself.
"""

_HALF_BITS = 10  # 2 ** 10 buckets an octave are the fewest that tell three digits apart
_HALF = 1 << _HALF_BITS
_MANTISSA_BITS = 52
_BIAS = (1023 + _HALF_BITS) << _HALF_BITS  # what the exponent of a double adds, once the bits are shifted


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts by bucket: `places` ascending and without repeats, `counts` of the same length; max_ns 0 without any."""

    places: IntArray
    counts: IntArray
    max_ns: int

    @property
    def samples(self) -> int:
        """How many times it holds."""
        return int(self.counts.sum())

    def percentile_ms(self, q: float) -> float | None:
        """The upper end of the bucket that holds the q-quantile, in ms; None without a sample."""
        if not self.samples:
            return None
        place = np.searchsorted(np.cumsum(self.counts), rank(q, self.samples))
        return float(upper_ns(self.places[place])) / 1e6


def places_of(times_ns: IntArray) -> IntArray:
    """The bucket of each time; a negative time counts as 0.

    The exponent of a double and the first bits of its mantissa are the octave and the bucket within it.
    """
    times_ns = np.maximum(times_ns, 0)
    shifted = times_ns.astype(np.float64).view(np.int64) >> (_MANTISSA_BITS - _HALF_BITS)
    places: IntArray = np.where(times_ns < _HALF, times_ns, shifted - _BIAS + _HALF)
    return places


def upper_ns(places: IntArray) -> IntArray:
    """The longest time of each bucket: what HdrHistogram calls the highest equivalent value."""
    octave = np.maximum((places >> _HALF_BITS) - 1, 0)
    upper: IntArray = ((places - (octave << _HALF_BITS) + 1) << octave) - 1
    return upper


def needed_samples(q: float) -> int:
    """How many samples a pool must hold for the q-quantile: five beyond it, 5 / (1 - q)."""
    return round(5 / (1 - q))


def rank(q: float, samples: IntArray | int) -> IntArray:
    """Which of so many ordered samples is the q-quantile, counted from 1, as HdrHistogram has it."""
    places: IntArray = np.maximum(1, np.floor(q * np.asarray(samples) + 0.5)).astype(np.int64)
    return places


def histogram_of(times_ns: IntArray) -> Histogram:
    """The histogram of these times."""
    counted = np.bincount(places_of(times_ns))
    places = np.flatnonzero(counted)
    return Histogram(places, counted[places], int(times_ns.max(initial=0)))


def frame_of(held: Sequence[Histogram]) -> pl.DataFrame:
    """One row per histogram, with the columns of HISTOGRAM."""
    return pl.DataFrame(
        {
            "samples": [one.samples for one in held],
            "max_ns": [one.max_ns for one in held],
            "places": [pl.Series(one.places.astype(np.uint16)) for one in held],
            "counts": [pl.Series(one.counts.astype(np.uint32)) for one in held],
        }
    ).select(pl.col(name).cast(kind) for name, kind in HISTOGRAM.items())


def merged(rows: pl.DataFrame) -> Histogram:
    """The histograms of a frame with the columns of HISTOGRAM as one."""
    flat = rows.select("places", "counts").explode("places", "counts").drop_nulls()
    counted = np.bincount(flat["places"].to_numpy(), weights=flat["counts"].to_numpy()).astype(np.int64)
    places = np.flatnonzero(counted)
    return Histogram(places, counted[places], int(rows["max_ns"].to_numpy().max(initial=0)))


def pooled_ms(pools: pl.DataFrame, kind: str, q: float) -> float | None:
    """The q-quantile in ms of all times of one kind in these rows of a digest's pools; None without a sample."""
    return merged(pools.filter(pl.col("kind") == kind)).percentile_ms(q)
