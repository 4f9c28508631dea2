"""What a request costs in a loop, in CPU time and in time: its part free of pauses, and its share of them. Pure.

A pause is a full garbage collection. It falls into few of the slices, so a median over slices loses it, or doubles it,
by chance; what is wanted is the long-run mean. So the two parts have estimators of their own:

- free of pauses: each slice less the pauses that its server reported. Log ratios paired by block, their median per
  round, the mean over rounds, as for any other metric (see `estimates`).
- pauses: a ratio of totals, over all slices of the cell. P and C are the cell's pauses and its cost free of them, so
  a request costs 1 + P / C times its part free of pauses. A ratio of totals has one value per round as well, its
  linearisation (Cochran 1977, section 6.4): with T = P + C and R rounds, that of log(1 + P / C) in round r is
  log(T / C) + R (T_r / T - C_r / C). The mean of these values is the estimate itself.

The logarithm of a ratio of costs is the sum of its parts, hence one value per round too, and Student's t holds for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadtests.analysis.digest import CELL, Digest
from loadtests.analysis.estimates import Estimate, Figure, FloatArray, Ratio, estimate, ratio_of
from loadtests.analysis.readings import Launches
from loadtests.config.metrics import WITH_DATABASE

UNTOLD = "pauses not measured"
_NS_PER_US, _NS_PER_MS = 1000, 1_000_000


@dataclass(frozen=True, slots=True)
class Slices:
    """The cost of many slices, in any unit: arrays of shape (..., rounds, launches, blocks), NaN where there is none.

    clean: without pauses; pause: of the pauses in it; requests: how many were answered.
    """

    clean: FloatArray
    pause: FloatArray
    requests: FloatArray

    @property
    def logs(self) -> FloatArray:
        """Shape (..., rounds, blocks): log of the clean cost of a request, the mean of the launches that have one."""
        with np.errstate(divide="ignore", invalid="ignore"):
            own = np.where(self.clean > 0, np.log(self.clean / self.requests), np.nan)
            known = ~np.isnan(own)
            means: FloatArray = np.where(known, own, 0).sum(axis=-2) / known.sum(axis=-2)
        return means

    @property
    def dilations(self) -> FloatArray:
        """Shape (..., rounds): log(1 + P / C), as one value per round (see above)."""
        pause, clean = (np.nansum(part, axis=(-2, -1)) for part in (self.pause, self.clean))
        whole = pause + clean
        wholes, cleans = whole.sum(axis=-1, keepdims=True), clean.sum(axis=-1, keepdims=True)
        values: FloatArray = np.log(wholes / cleans) + clean.shape[-1] * (whole / wholes - clean / cleans)
        return values

    def rounds(self, chosen: NDArray[np.bool]) -> "Slices":
        """These rounds alone; for slices without leading axes."""
        return Slices(self.clean[chosen], self.pause[chosen], self.requests[chosen])


def log_ratios(a: Slices, b: Slices) -> FloatArray:
    """Shape (..., rounds): the log ratio of two costs, pauses included, as one value per round."""
    return medians(a.logs - b.logs) + a.dilations - b.dilations


def medians(blocks: FloatArray) -> FloatArray:
    """Over the last axis, of what is not NaN; NaN where nothing is."""
    known = ~np.isnan(blocks)
    if known.all():
        return np.asarray(np.median(blocks, axis=-1), dtype=np.float64)
    found = np.full(blocks.shape[:-1], np.nan)
    some = known.any(axis=-1)
    found[some] = np.nanmedian(blocks[some], axis=-1)
    return found


@dataclass(frozen=True, slots=True)
class Costs:
    """The slices of every (scenario, launch): `own` those of `mode` that were not set aside, `every` of any mode."""

    mode: str = "closed"
    own: Mapping[tuple[str, str], pl.DataFrame] = field(default_factory=dict)
    every: Mapping[tuple[str, str], pl.DataFrame] = field(default_factory=dict)

    def tells(self, scenario: str, launches: Launches) -> bool:
        """Whether the server reported its pauses in this scenario."""
        frames = [self.own[scenario, one] for one in launches if (scenario, one) in self.own]
        return any(frame["told"].any() for frame in frames)


def costs_in(digest: Digest, workers: Mapping[str, int], mode: str = "closed") -> Costs:
    """What the slices of a mode cost; workers: contestant -> how many processes answer, where they are more than one.

    While one of several workers pauses, the others go on: their share of the time counts.
    """
    every = digest.slices.with_columns(
        told=pl.col("gen2_cpu_ns").is_not_null(),
        workers=pl.col("contestant").replace_strict(dict(workers), default=1, return_dtype=pl.Int64),
    )
    answered = every.filter((pl.col("mode") == mode) & ~pl.col("aside") & (pl.col("answered") > 0))
    some_told = pl.col("told").any().over(CELL)
    parts = answered.filter(pl.col("told") | ~some_told).select(
        *CELL,
        "round",
        "block",
        "told",
        "answered",
        **_parts("cpu_us_per_request", pl.col("server_cpu_ns"), pl.col("gen2_cpu_ns")),
        **_parts(
            WITH_DATABASE,
            pl.sum_horizontal("server_cpu_ns", "database_cpu_ns", "redis_cpu_ns", ignore_nulls=False),
            pl.col("gen2_cpu_ns"),
        ),
        **_parts("throughput_rps", pl.col("busy_ns"), pl.col("gen2_ns") / pl.col("workers")),
    )
    return Costs(mode, _by_cell(parts), _by_cell(every))


def _parts(metric: str, whole_ns: pl.Expr, pause_ns: pl.Expr) -> dict[str, pl.Expr]:
    """Pause and the rest in µs; null where the whole was not read. A pause that fills a slice leaves 0."""
    pause_us = pl.when(whole_ns.is_not_null()).then(pause_ns.fill_null(0) / _NS_PER_US)
    clean_us = (whole_ns / _NS_PER_US - pause_us).clip(lower_bound=0)
    return {f"{metric}:clean": clean_us, f"{metric}:pause": pause_us}


def _by_cell(frame: pl.DataFrame) -> dict[tuple[str, str], pl.DataFrame]:
    groups = frame.partition_by(CELL, as_dict=True, maintain_order=True)
    return {(str(scenario), str(launch)): rows for (scenario, launch), rows in groups.items()}


def cost_ratio(costs: Costs, scenario: str, metric: str, a: Launches, b: Launches) -> Ratio | None:
    """The ratio a / b of CPU time per request or throughput; None without a single block that both have."""
    numbers, (of_a, of_b) = slices_of(costs, scenario, metric, (a, b))
    paired = ~np.isnan(of_a.logs - of_b.logs)
    chosen = np.asarray(paired.any(axis=-1))
    if not chosen.any():
        return None
    logs = log_ratios(of_a.rounds(chosen), of_b.rounds(chosen)) * _sign(metric)
    untold = [sides[0] for sides in (a, b) if not costs.tells(scenario, sides)]
    note = f"{UNTOLD} on {' and '.join(untold)}" if untold else ""
    by_round = dict(zip(numbers[chosen].tolist(), logs.tolist(), strict=True))
    return ratio_of(by_round, int(paired.sum()), note)


def cost_figure(costs: Costs, scenario: str, metric: str, launches: Launches) -> Figure:
    """CPU time per request or throughput: the part free of pauses and the pauses, added."""
    found = _cost_of(costs, scenario, metric, launches)
    if found is None:
        return Figure(None)
    reasons = () if costs.tells(scenario, launches) else (UNTOLD,)
    return _as_figure(found.total, found, 1e6 if metric == "throughput_rps" else None, reasons)


def pause_figure(costs: Costs, scenario: str, metric: str, launches: Launches) -> Figure:
    """One of the parts of CPU time per request."""
    found = _cost_of(costs, scenario, "cpu_us_per_request", launches)
    if found is None or not costs.tells(scenario, launches):
        return Figure(None, reasons=(UNTOLD,) if found else ())
    if metric == "pause_free_cpu_us_per_request":
        return _as_figure(found.clean, found)
    if metric == "pause_us_per_request" and found.pauses.mean > 0:
        low, high = found.pauses.interval()
        bounded = None if low is None else max(0.0, low)
        return Figure(found.pauses.mean, bounded, high, found.rounds, found.slices)
    return _counted(costs, scenario, metric, launches)


@dataclass(frozen=True, slots=True)
class _Cost:
    """A request's cost in µs: logs of the part free of pauses and of the total, and the pauses."""

    clean: Estimate
    pauses: Estimate
    total: Estimate
    rounds: int
    slices: int


def _cost_of(costs: Costs, scenario: str, metric: str, launches: Launches) -> _Cost | None:
    """The total's value per round is linearised as well: its two parts have the weights that they have in it."""
    _, (every,) = slices_of(costs, scenario, metric, (launches,))
    logs = every.logs
    chosen = np.asarray(~np.isnan(logs).all(axis=-1))
    if not chosen.any():
        return None
    own, clean_logs = every.rounds(chosen), medians(logs[chosen])
    pauses = _ratio_of_totals(np.nansum(own.pause, axis=(1, 2)), np.nansum(own.requests, axis=(1, 2)))
    clean, pause = float(np.exp(clean_logs.mean())), float(pauses.mean())
    deviations = clean * (clean_logs - clean_logs.mean()) + (pauses - pause)
    totals = np.log(clean + pause) + deviations / (clean + pause)
    slices = int((~np.isnan(logs)).sum())
    return _Cost(estimate(clean_logs), estimate(pauses), estimate(totals), int(chosen.sum()), slices)


def _ratio_of_totals(over: FloatArray, under: FloatArray) -> FloatArray:
    """One value per round, whose mean is the ratio of the totals (Cochran 1977, section 6.4)."""
    ratio = over.sum() / under.sum()
    values: FloatArray = ratio + len(over) * (over - ratio * under) / under.sum()
    return values


def _as_figure(
    logs: Estimate, found: _Cost, over: float | None = None, reasons: tuple[str, ...] = ()
) -> Figure:
    """The figure whose logarithm is estimated; with `over`, that number over it."""
    low, high = logs.interval()
    value, *bounds = (None if one is None else float(np.exp(one)) for one in (logs.mean, low, high))
    if over is not None:
        value, *bounds = (None if one is None else over / one for one in (value, *reversed(bounds)))
    return Figure(value, bounds[0], bounds[1], found.rounds, found.slices, reasons)


def _counted(costs: Costs, scenario: str, metric: str, launches: Launches) -> Figure:
    """The longest pause in slices of any mode, or the requests between pauses in those of the costs' mode: the more are
    in flight, the more of their objects outlive a young collection, and the sooner comes a full one. Where there was
    no pause, the reasons say so.
    """
    held = pl.concat([costs.every[scenario, one] for one in launches if (scenario, one) in costs.every])
    any_mode = metric == "longest_pause_ms"
    told = held.filter(pl.col("told") & ((pl.col("mode") == costs.mode) | any_mode))
    rounds = told.group_by("round", maintain_order=True).agg(
        pl.col("requests").sum(), pl.col("gen2_count").sum()
    )
    requests, pauses = rounds["requests"].to_numpy(), rounds["gen2_count"].to_numpy()
    if pauses.sum() == 0:
        none = None if metric == "requests_between_pauses" else 0.0
        reason = f"no pause in {requests.sum()} requests"
        return Figure(none, rounds=len(rounds), slices=len(told), reasons=(reason,))
    if metric == "longest_pause_ms":
        longest = float(told["gen2_longest_ns"].drop_nulls().to_numpy().max()) / _NS_PER_MS
        return Figure(longest, rounds=len(rounds), slices=len(told))
    rate = estimate(_ratio_of_totals(pauses, requests))
    low, high = rate.interval()
    return Figure(
        1 / rate.mean,
        1 / high if high else None,
        1 / low if low and low > 0 else None,
        len(rounds),
        len(told),
    )


def _sign(metric: str) -> int:
    """Throughput is requests over time, so its logarithm is that of the time with the other sign."""
    return -1 if metric == "throughput_rps" else 1


def slices_of(
    costs: Costs, scenario: str, metric: str, sides: tuple[Launches, ...]
) -> tuple[FloatArray, list[Slices]]:
    """The numbers of all rounds that any has, and the slices of each side, all on the same rounds and blocks."""
    held = [[costs.own[scenario, one] for one in side if (scenario, one) in costs.own] for side in sides]
    frames = [frame for side in held for frame in side]
    rounds, blocks = (
        np.unique([number for frame in frames for number in frame[name]]) for name in ("round", "block")
    )
    return rounds, [_placed(side, metric, rounds, blocks) for side in held]


def _placed(frames: list[pl.DataFrame], metric: str, rounds: FloatArray, blocks: FloatArray) -> Slices:
    shape = len(rounds), len(frames), len(blocks)
    clean, pause, requests = (np.full(shape, np.nan) for _ in range(3))
    for launch, frame in enumerate(frames):
        own = frame.drop_nulls(f"{metric}:clean")
        place = (
            np.searchsorted(rounds, own["round"].to_numpy()),
            launch,
            np.searchsorted(blocks, own["block"].to_numpy()),
        )
        clean[place], pause[place] = own[f"{metric}:clean"].to_numpy(), own[f"{metric}:pause"].to_numpy()
        requests[place] = own["answered"].to_numpy()
    return Slices(clean, pause, requests)
