"""Costs out of drawn slices, as `costs_in` gives them out of samples."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from loadtests.analysis.costs import Costs, Slices


def costs_of(drawn: Mapping[tuple[str, str], Slices]) -> Costs:
    """(scenario, launch) -> its slices, arrays of shape (rounds, blocks): closed ones, of servers that tell pauses."""
    frames = {cell: _frame_of(slices) for cell, slices in drawn.items()}
    return Costs(own=frames, every=frames)


def launch_of(slices: Slices, launch: int, blocks: slice = slice(None)) -> Slices:
    """One launch of the first run that was drawn, and of it these blocks: arrays of shape (rounds, blocks)."""
    at = 0, slice(None), launch, blocks
    return Slices(slices.clean[at], slices.pause[at], slices.requests[at])


def _frame_of(slices: Slices) -> pl.DataFrame:
    """At most one pause in a slice."""
    rounds, blocks = np.indices(slices.clean.shape)
    return pl.DataFrame(
        {
            "round": rounds.ravel(),
            "block": blocks.ravel(),
            "mode": ["closed"] * slices.clean.size,
            "told": np.ones(slices.clean.size, dtype=bool),
            "requests": slices.requests.ravel(),
            "answered": slices.requests.ravel(),
            "gen2_count": (slices.pause > 0).astype(np.int64).ravel(),
            "cpu_us_per_request:clean": slices.clean.ravel(),
            "cpu_us_per_request:pause": slices.pause.ravel(),
        }
    )
