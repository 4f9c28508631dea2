"""Which estimator? Candidates held against a selftest's samples, whose true ratios are known, and against drawn ones.

Run as `make estimators RUN=results/selftest-...`. Every candidate makes one log ratio of a round's paired blocks; over
the rounds all of them are treated alike (mean, Student's t). What counts: how wide the interval is for the same
seconds, and how often it holds the truth.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import expm1, log
from pathlib import Path

import numpy as np
import polars as pl
from numpy.random import Generator

from loadtests.analysis.digest import digest
from loadtests.analysis.estimates import FloatArray, estimate
from loadtests.analysis.simulate import TRUTH
from loadtests.config.contestants import twin_name
from loadtests.runs.paired_study import NO_LIMIT_PERCENT, PING
from loadtests.samples.store import RunStore
from loadtests.selftest import a_vs_a, injection
from loadtests.selftest.records import load
from loadtests.studies.candidate_estimators import CANDIDATES, FIRST, Blocks

DRAWN_RUNS, BOOTSTRAPS = 500, 1000


@dataclass(frozen=True, slots=True)
class Series:
    """The rounds of one repeat, and the log ratio that is true of them."""

    name: str
    rounds: tuple[Blocks, ...]
    truth: float


@dataclass(frozen=True, slots=True)
class Score:
    """How a candidate did: half-width, spread between rounds, bias, and the share of intervals with the truth.

    relative: its spread over that of the first candidate, with a 95 % interval from a bootstrap of the rounds.
    """

    half_width: float
    spread: float
    relative: tuple[float, float, float]
    bias: float
    covered: float


def score(candidate: Callable[[Blocks], float], series: Sequence[Series]) -> Score:
    """Over all series: mean of widths and errors, root mean square of spreads, share of intervals with the truth."""
    found = [(estimate([candidate(one) for one in each.rounds]), each.truth) for each in series]
    reaches = [(high or 0.0) - one.mean for one, _ in found for _, high in [one.interval()]]
    spreads = [(one.error or 0.0) * one.rounds**0.5 for one, _ in found]
    errors = [one.mean - truth for one, truth in found]
    return Score(
        half_width=expm1(float(np.mean(reaches))),
        spread=float(np.sqrt(np.mean(np.square(spreads)))),
        relative=_relative(_residuals(candidate, series), _residuals(FIRST, series)),
        bias=float(np.mean(errors)),
        covered=float(np.mean([abs(error) <= reach for error, reach in zip(errors, reaches, strict=True)])),
    )


def _residuals(candidate: Callable[[Blocks], float], series: Sequence[Series]) -> FloatArray:
    """Every round's value less the mean of its series."""
    values = [np.array([candidate(one) for one in each.rounds]) for each in series]
    return np.concatenate([one - one.mean() for one in values])


def _relative(own: FloatArray, first: FloatArray) -> tuple[float, float, float]:
    drawn = np.random.default_rng(0).integers(0, len(own), (BOOTSTRAPS, len(own)))
    ratios = np.sqrt(np.mean(own[drawn] ** 2, axis=1) / np.mean(first[drawn] ** 2, axis=1))
    low, high = np.quantile(ratios, (0.025, 0.975))
    return float(np.sqrt(np.mean(own**2) / np.mean(first**2))), float(low), float(high)


def measured(folder: Path) -> dict[str, list[Series]]:
    """Kind of pair -> its repeats, from a selftest's folder. SuiteError: there is none."""
    found: dict[str, list[Series]] = {}
    for check in load(folder).checks:
        for row in check.figures:
            if check.name == "itself" and row["metric"] == "cpu_us_per_request":
                name = str(row["contestant"])
                pair = name, twin_name(name)
                rounds = _repeat(folder / "itself", row["repeat"], a_vs_a.ROUNDS, pair, row["scenario"])
                found.setdefault("itself", []).append(Series(name, rounds, 0.0))
            elif check.name == "injection":
                store, copy = folder / f"injection-{row['app']}", injection.copy_name(row["asked_percent"])
                rounds = _repeat(store, row["repeat"], injection.ROUNDS, (copy, injection.BASE), PING)
                truth = log(row["true_ratio"])
                found.setdefault("injection", []).append(Series(str(row["app"]), rounds, truth))
    return found


def _repeat(folder: Path, repeat: int, size: int, pair: tuple[str, str], scenario: str) -> tuple[Blocks, ...]:
    store = RunStore(folder)
    return tuple(_blocks(store, index, pair, scenario) for index in range((repeat - 1) * size, repeat * size))


def _blocks(store: RunStore, index: int, pair: tuple[str, str], scenario: str) -> Blocks:
    slices = digest([store.round(index)], NO_LIMIT_PERCENT, 1).slices.filter(
        (pl.col("answered") > 0) & (pl.col("scenario") == scenario)
    )
    mine, others = (slices.filter(pl.col("contestant") == name) for name in pair)
    both = mine.join(others, on="block").sort("block")
    span_ms = (
        both["drained_ns"] - both["start_ns"] + both["drained_ns_right"] - both["start_ns_right"]
    ) / 1e6
    stolen = (both["steal_ms"] + both["steal_ms_right"]) / span_ms
    cpu_a, cpu_b, answers_a, answers_b = (
        both[name].to_numpy().astype(np.float64)
        for name in ("server_cpu_ns", "server_cpu_ns_right", "answered", "answered_right")
    )
    return Blocks(cpu_a, cpu_b, answers_a, answers_b, stolen.to_numpy())


def simulated(rounds: int, blocks: int, launch: float = 0.015, block: float = 0.06) -> list[Series]:
    """Drawn runs in which noise only ever adds time: each side's blocks cost 1 + |t| x `block`, t with 3 degrees."""
    rng = np.random.default_rng(0)
    return [
        Series("drawn", tuple(_drawn(rng, blocks, launch, block) for _ in range(rounds)), TRUTH)
        for _ in range(DRAWN_RUNS)
    ]


def _drawn(rng: Generator, blocks: int, launch: float, block: float) -> Blocks:
    a, b = 1 + np.abs(rng.standard_t(3, (2, blocks))) * block
    ones = np.ones(blocks)
    return Blocks(a * np.exp(TRUTH + rng.normal(0, launch)), b, ones, ones, np.zeros(blocks))


def table(series: Sequence[Series]) -> Iterator[str]:
    """A Markdown row per candidate."""
    for name, candidate in CANDIDATES.items():
        one = score(candidate, series)
        relative, low, high = one.relative
        yield (
            f"| {name} | {100 * one.half_width:.1f} | {100 * one.spread:.1f}"
            f" | {relative:.2f} ({low:.2f} to {high:.2f}) | {100 * one.bias:+.1f}"
            f" | {100 * one.covered:.0f} |"
        )


def main(folder: Path) -> None:
    """Prints a table per kind of pair, then one of simulated runs."""
    kinds = measured(folder)
    kinds["drawn"] = simulated(rounds=6, blocks=12)
    for kind, series in kinds.items():
        sys.stdout.write(f"\n{kind}: {len(series)} series of {len(series[0].rounds)} rounds\n\n")
        sys.stdout.write(
            "| candidate | half-width % | spread of rounds % | over the first's | bias % | covered % |\n"
        )
        sys.stdout.write("| --- | --- | --- | --- | --- | --- |\n")
        sys.stdout.write("\n".join(table(series)) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
