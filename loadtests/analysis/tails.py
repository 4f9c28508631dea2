"""Percentiles of latencies, pooled over all rounds and launches of a cell, and their ratios. Pure.

A percentile of a long run is that of all its requests: an average of rounds' percentiles is lower wherever a few
rounds, or a few requests of each, hold the long ones. Its interval comes from a bootstrap that draws whole rounds anew
(Davison and Hinkley 1997, section 3.8, strategy 1): the standard error of the logarithm, inflated by sqrt(n / (n - 1))
(Hesterberg 2015), with Student's t of n - 1 degrees of freedom. Two contestants share the rounds that are drawn, so
what disturbed both in a round cancels in their ratio.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from math import exp, sqrt

import numpy as np
import polars as pl

from loadtests.analysis.digest import CELL, OPEN, POOLS, SLICES_DIGEST, Digest
from loadtests.analysis.estimates import MIN_ROUNDS, Estimate, Figure, FloatArray, Ratio
from loadtests.analysis.histograms import IntArray, needed_samples, rank, upper_ns
from loadtests.analysis.readings import Launches
from loadtests.config.metrics import METRICS, PERCENTILES

DRAWS = 1000
KINDS = ("response", "service")
_PLACES = {name: place for place, name in enumerate(PERCENTILES)}
_SCHEDULED = (pl.col("rate_rps") * (pl.col("stop_ns") - pl.col("start_ns")) / 1e9).round()
"""Runs of version 0.2 and before planned a time, in which so many requests fall due."""

Rounds = tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Tail:
    """The times of one kind in one cell. Logarithms are of ns; their last axis is that of PERCENTILES, in order.

    planned: requests that the plan had, in so many slices; samples: those that were answered. logs: (percentiles,),
    pooled over all rounds; drawn: (DRAWS, percentiles), with whole rounds drawn anew; by_round: (rounds, percentiles).
    """

    rounds: tuple[int, ...]
    planned: int
    slices: int
    samples: int
    max_ns: int
    logs: FloatArray
    drawn: FloatArray
    by_round: FloatArray

    def lacks(self, name: str) -> str:
        """Why a percentile is not shown; empty where it is. Planned requests decide, never those that were answered."""
        needed = needed_samples(PERCENTILES[name])
        if self.planned < needed:
            return f"not measured: {self.planned} requests planned, {needed} needed"
        return "" if self.samples else "not measured: no answer"

    def figure(self, name: str) -> Figure:
        """One of PERCENTILES in ms with its interval."""
        why = self.lacks(name)
        if why:
            return Figure(None, slices=self.slices, reasons=(why,))
        at = _PLACES[name]
        found = _estimate(self.logs[at], self.drawn[:, at], len(self.rounds))
        low, high = found.interval()
        return Figure(_ms(found.mean), _ms(low), _ms(high), len(self.rounds), self.slices)

    def longest(self) -> Figure:
        """The longest time in ms; a maximum grows with the samples and has no interval."""
        if not self.samples:
            return Figure(None, slices=self.slices, reasons=("not measured: no answer",))
        return Figure(self.max_ns / 1e6, rounds=len(self.rounds), slices=self.slices)


@dataclass(frozen=True, slots=True)
class Tails:
    """The tails of a digest, worked out when they are asked for.

    pools: as in the digest; slices: those of open loops that are not aside, with `planned`. seed: the bootstrap's.
    """

    pools: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=dict(POOLS)))
    slices: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=dict(SLICES_DIGEST)))
    seed: int = 0
    _held: dict[object, Tail | None] = field(default_factory=dict, repr=False, compare=False)

    @property
    def places(self) -> list[tuple[str, str, str]]:
        """Every (scenario, launch, metric) of the open loop at a common rate."""
        timed = self.pools.filter(pl.col("own_load").is_null() & pl.col("kind").is_in(KINDS))
        return [
            (scenario, launch, metric)
            for scenario, launch, kind in timed.select(*CELL, "kind").unique(maintain_order=True).iter_rows()
            for metric in METRICS
            if metric.startswith(f"{kind}_")
        ]

    def of(
        self,
        scenario: str,
        launches: Launches,
        kind: str,
        own_load: float | None = None,
        rounds: Rounds = None,
    ) -> Tail | None:
        """All launches of a contestant together, in all rounds or in these; None without an open slice in them.

        own_load: a share of the server's own throughput; None: the rate that all contestants have in common.
        """
        key = (scenario, launches, kind, own_load, rounds)
        if key not in self._held:
            self._held[key] = self._made(*key)
        return self._held[key]

    def _made(
        self, scenario: str, launches: Launches, kind: str, own_load: float | None, rounds: Rounds
    ) -> Tail | None:
        wanted = (
            (pl.col("scenario") == scenario)
            & pl.col("contestant").is_in(launches)
            & pl.col("own_load").eq_missing(own_load)
            & (pl.lit(value=True) if rounds is None else pl.col("round").is_in(rounds))
        )
        rows, slices = self.pools.filter(wanted & (pl.col("kind") == kind)), self.slices.filter(wanted)
        return (
            None if rows.is_empty() else _tail(rows, int(slices["planned"].sum()), slices.height, self.seed)
        )


def tails_in(digest: Digest, seed: int) -> Tails:
    """What a digest says of latencies; seed: of the bootstrap, that of the run, so that its report stays the same."""
    opened = digest.slices.filter(pl.col("mode").is_in(OPEN) & ~pl.col("aside"))
    planned = pl.coalesce("planned_requests", _SCHEDULED).cast(pl.Int64)
    return Tails(digest.pools, opened.with_columns(planned=planned), seed)


def percentile_ratio(tails: Tails, scenario: str, metric: str, a: Launches, b: Launches) -> Ratio | None:
    """The ratio a / b of pooled percentiles, over the rounds that both have; None where one of them is not measured."""
    kind, name = _parts(metric)
    one, other = tails.of(scenario, a, kind), tails.of(scenario, b, kind)
    if one and other and one.rounds != other.rounds:
        both = tuple(sorted({*one.rounds} & {*other.rounds}))
        one, other = (tails.of(scenario, names, kind, rounds=both) for names in (a, b))
    if one is None or other is None or name not in _PLACES or one.lacks(name) or other.lacks(name):
        return None
    at = _PLACES[name]
    log_ratio = _estimate(
        one.logs[at] - other.logs[at], one.drawn[:, at] - other.drawn[:, at], len(one.rounds)
    )
    by_round = np.exp(one.by_round[:, at] - other.by_round[:, at])
    return Ratio(log_ratio, tuple(by_round.tolist()), min(one.slices, other.slices), one.rounds)


def latency(tails: Tails, scenario: str, metric: str, launches: Launches) -> Figure:
    """One latency metric of one contestant."""
    kind, name = _parts(metric)
    tail = tails.of(scenario, launches, kind)
    if tail is None:
        return Figure(None, reasons=("not measured: no open loop",))
    return tail.longest() if name == "max" else tail.figure(name)


def _parts(metric: str) -> tuple[str, str]:
    """response_p99_ms -> response, p99."""
    kind, name, _ = metric.split("_")
    return kind, name


def _tail(rows: pl.DataFrame, planned: int, slices: int, seed: int) -> Tail:
    rounds, places, below = _cumulated(rows)
    totals, values = below[:, -1], np.log(np.maximum(upper_ns(places), 1))
    whole, single = np.ones((1, len(rounds)), dtype=np.int64), np.eye(len(rounds), dtype=np.int64)
    pooled, drawn, by_round = (
        values[_quantiles(below, weights)] for weights in (whole, _weights(len(rounds), seed), single)
    )
    longest = int(rows["max_ns"].to_numpy().max())
    return Tail(rounds, planned, slices, int(totals.sum()), longest, pooled[0], drawn, by_round)


def _cumulated(rows: pl.DataFrame) -> tuple[tuple[int, ...], IntArray, IntArray]:
    """Rounds, the buckets that any of them fills, and how many of each round's times are in a bucket or below it."""
    rounds, row_of = np.unique(rows["round"].to_numpy(), return_inverse=True)
    flat = rows.select(pl.Series("row", row_of), "places", "counts").explode("places", "counts").drop_nulls()
    places, column_of = np.unique(flat["places"].to_numpy().astype(np.int64), return_inverse=True)
    counts = np.zeros((len(rounds), max(1, len(places))), dtype=np.int64)
    np.add.at(counts, (flat["row"].to_numpy(), column_of), flat["counts"].to_numpy())
    return (
        tuple(rounds.tolist()),
        places if len(places) else np.zeros(1, dtype=np.int64),
        counts.cumsum(axis=1),
    )


def _quantiles(below: IntArray, weights: IntArray) -> IntArray:
    """Columns of `below` in which the quantiles of weighted rounds lie, shape (draws, percentiles); by bisection.

    weights: (draws, rounds), how often each round counts.
    """
    totals = weights @ below[:, -1]
    wanted = np.stack([rank(q, totals) for q in PERCENTILES.values()], axis=1)
    low, high = np.zeros_like(wanted), np.full_like(wanted, below.shape[1] - 1)
    while np.any(low < high):
        middle = (low + high) // 2
        enough = np.einsum("dr,rdq->dq", weights, below[:, middle]) >= wanted
        low, high = np.where(enough, low, middle + 1), np.where(enough, middle, high)
    return low


@lru_cache(maxsize=8)
def _weights(rounds: int, seed: int) -> IntArray:
    """How often each round is drawn, shape (DRAWS, rounds); the same for all cells with so many rounds."""
    return np.random.default_rng(seed).multinomial(rounds, np.full(rounds, 1 / rounds), DRAWS)


def _estimate(mean: float, drawn: FloatArray, rounds: int) -> Estimate:
    error = float(drawn.std(ddof=1)) * sqrt(rounds / (rounds - 1)) if rounds >= MIN_ROUNDS else None
    return Estimate(float(mean), error, rounds)


def _ms(log_ns: float | None) -> float | None:
    return None if log_ns is None else exp(log_ns) / 1e6
