"""Digests of open loops, out of arrays of times: for what needs more requests than frames hold."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.random import Generator

from loadtests.analysis.answers import ANSWERS_DIGEST
from loadtests.analysis.digest import BODIES, OPEN, POOLS, SLICES_DIGEST, Digest
from loadtests.analysis.estimates import FloatArray
from loadtests.analysis.histograms import frame_of, histogram_of
from loadtests.samples.store import SERVERS, Schema
from tests.support.frames import SCENARIO

Load = float | None


def digest_of(
    times_ms: Mapping[tuple[int, str], FloatArray], own_load: Load = None, planned: int | None = None
) -> Digest:
    """Round and contestant -> response times of its one open slice, which are its service times too.

    planned: requests in each slice, if not as many as there are times.
    """
    mode = OPEN[own_load is not None]
    cells = [
        {"round": number, "scenario": SCENARIO, "contestant": name, "mode": mode, "own_load": own_load}
        for number, name in times_ms
    ]
    held = [histogram_of(np.asarray(one * 1e6, dtype=np.int64)) for one in times_ms.values()]
    pools = pl.concat([pl.DataFrame(cells, _types(POOLS, *cells[0])), frame_of(held)], how="horizontal")
    slices = [
        {**cell, "rate_rps": 500.0, "planned_requests": planned or one.samples, "aside": False}
        for cell, one in zip(cells, held, strict=True)
    ]
    return Digest(
        pl.DataFrame(slices, dict(SLICES_DIGEST)),
        pl.concat([pools.with_columns(kind=pl.lit(kind)) for kind in ("response", "service")]).select(*POOLS),
        pl.DataFrame(schema=dict(BODIES)),
        pl.DataFrame(schema=dict(ANSWERS_DIGEST)),
        pl.DataFrame(schema={"round": pl.Int32, **SERVERS}),
    )


def pausing_ms(
    rng: Generator, requests: int, *, every: int = 1400, pause_ms: float = 75.0, launch: float = 0.03
) -> FloatArray:
    """Response times of one launch at half load: lognormal around 2 ms, and every so many requests the server pauses.

    Requests wait for what is left of the pause, and for those before them, whose queue drains at half speed. The pauses
    go on from a random place; `launch` is the standard deviation of the logarithm between launches.
    """
    level = np.exp(rng.normal(0, launch))
    own_ms = 2 * level * np.exp(rng.normal(0, 0.4, requests))
    since_ms = 2 * ((np.arange(requests) + rng.uniform(0, every)) % every)  # a request every 2 ms
    waits: FloatArray = own_ms + np.maximum(0, pause_ms * level - since_ms / 2)
    return waits


def _types(schema: Schema, *names: str) -> dict[str, Any]:
    return {name: schema[name] for name in names}
