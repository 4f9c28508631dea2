"""Histograms hold the field's own layout: what they say is what HdrHistogram's library says of the same times."""

from math import log

import numpy as np
import polars as pl
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from loadtests.analysis.histograms import (
    HIGHEST_NS,
    SIGNIFICANT_DIGITS,
    Histogram,
    IntArray,
    frame_of,
    histogram_of,
    merged,
    needed_samples,
    places_of,
    pooled_ms,
    upper_ns,
)

QUANTILES = (0.0, 0.1, 0.5, 0.95, 0.99, 0.999, 1.0)


def library() -> HdrHistogram:
    return HdrHistogram(1, HIGHEST_NS, SIGNIFICANT_DIGITS)


def row(held: Histogram, kind: str = "response") -> pl.DataFrame:
    """A histogram as a digest keeps it."""
    return frame_of([held]).with_columns(kind=pl.lit(kind))


def times_ns(seed: int, count: int) -> IntArray:
    """Times from a nanosecond to an hour, as many in every octave."""
    drawn = np.random.default_rng(seed).uniform(0, log(HIGHEST_NS), count)
    return np.exp(drawn).astype(np.int64)


@given(st.integers(0, HIGHEST_NS))
def test_a_time_falls_into_the_librarys_bucket_and_stands_for_its_upper_end(time_ns: int) -> None:
    (place,) = places_of(np.array([time_ns]))

    assert place == library().get_counts_array_index(time_ns)
    assert upper_ns(place) == library().get_highest_equivalent_value(time_ns)
    assert time_ns <= upper_ns(place) <= time_ns * (1 + 1 / 1024)


@pytest.mark.parametrize("octave", range(42))
def test_it_does_so_at_the_edges_of_every_octave(octave: int) -> None:
    edges = np.array([2**octave - 1, 2**octave, min(2**octave + 1, HIGHEST_NS)])

    assert places_of(edges).tolist() == [library().get_counts_array_index(int(edge)) for edge in edges]


def test_percentiles_are_the_librarys() -> None:
    times, other = times_ns(1, 3_000), library()
    for time_ns in times.tolist():
        other.record_value(time_ns)

    held = histogram_of(times)

    assert held.samples == 3_000
    for q in QUANTILES[1:]:
        assert held.percentile_ms(q) == other.get_value_at_percentile(100 * q) / 1e6


def test_merged_histograms_are_that_of_all_times() -> None:
    parts = [times_ns(seed, 500) for seed in range(4)]

    found = merged(pl.concat([row(histogram_of(part)) for part in parts]))

    wanted = histogram_of(np.concatenate(parts))
    assert found.places.tolist() == wanted.places.tolist()
    assert found.counts.tolist() == wanted.counts.tolist()
    assert found.max_ns == wanted.max_ns == max(part.max() for part in parts)


def test_a_percentile_is_pooled_over_rows_of_its_kind_alone() -> None:
    few, many, lags = np.full(10, 9_000_000), np.full(90, 1_000_000), np.full(900, 5_000_000)
    rows = [row(histogram_of(few)), row(histogram_of(many)), row(histogram_of(lags), "lag")]

    assert pooled_ms(pl.concat(rows), "response", 0.9) == pytest.approx(1, rel=1e-3)
    assert pooled_ms(pl.concat(rows), "response", 0.91) == pytest.approx(9, rel=1e-3)
    assert pooled_ms(pl.concat(rows), "service", 0.5) is None


def test_no_times_are_an_empty_histogram() -> None:
    held = histogram_of(np.array([], dtype=np.int64))

    assert (held.samples, held.max_ns, held.percentile_ms(0.5)) == (0, 0, None)
    assert merged(row(held)).samples == 0


def test_a_clock_that_ran_backwards_counts_as_no_time() -> None:
    assert histogram_of(np.array([-5, 0])).places.tolist() == [0]


def test_needed_samples_are_five_over_the_share_beyond() -> None:
    assert [needed_samples(q) for q in (0.5, 0.95, 0.99, 0.999)] == [10, 100, 500, 5000]
