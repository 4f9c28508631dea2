"""From the replays of all rounds to the summary: cells, the comparison of capacities, gates. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean, median

import polars as pl

from loadtests.analysis.cells import cells
from loadtests.analysis.comparisons import comparisons
from loadtests.analysis.estimates import MIN_ROUNDS
from loadtests.analysis.estimators import Measured
from loadtests.analysis.observations import COLUMNS
from loadtests.analysis.readings import readings_in
from loadtests.analysis.summary import Cell, Comparison, GateResult, RunInfo, RunNoise, Summary
from loadtests.capacity.curves import Point, curve
from loadtests.capacity.replay import Replay
from loadtests.plan.search import LAG_SHARE, Cause
from loadtests.plan.search_result import lag_explains

CAPACITY, KNEE = "capacity_at_slo_rps", "knee_rps"

Pair = tuple[str, str]
"""Scenario and contestant."""


@dataclass(frozen=True, slots=True)
class Surge:
    """The surges of one contestant in one scenario: medians over rounds.

    recovery_ms: over the rounds in which it recovered, `recovered` of `rounds`; None when it did in none.
    """

    in_time_percent: float
    late_percent: float
    refused_percent: float
    timed_out_percent: float
    broken_percent: float
    recovery_ms: float | None
    recovered: int
    rounds: int


def summarise(replays: Sequence[Replay], run: RunInfo) -> Summary:
    """The summary; a round is one observation. Those without a capacity are left out and counted in the reasons."""
    held = grouped(replays)
    found = [
        _with_reasons(cell, held) for cell in cells(Measured(readings_in(observations(replays))), {}, run)
    ]
    return Summary(
        run=run,
        cells=tuple(found),
        comparisons=tuple(_compared(replays, held, run)),
        gates=tuple(gate for pair, own in held.items() for gate in _gates(pair, own)),
        noise=RunNoise(_steal_percent(replays, run.cpus)),
    )


def grouped(replays: Sequence[Replay]) -> dict[Pair, list[Replay]]:
    """The rounds of each scenario and contestant."""
    held: dict[Pair, list[Replay]] = {}
    for one in replays:
        held.setdefault((one.search.scenario, one.search.contestant), []).append(one)
    return held


def observations(replays: Sequence[Replay]) -> pl.DataFrame:
    """One row per round for each of the two metrics, as `verdict.cells` takes them; value null: not measured."""
    rows = [
        (one.search.scenario, one.search.contestant, metric, one.round, 0, value, answered)
        for one in replays
        for metric, value in ((CAPACITY, one.capacity_rps), (KNEE, one.knee_rps))
        for answered in [sum(outcome.answered for _, outcome in one.trail)]
    ]
    kinds = (pl.String, pl.String, pl.String, pl.Int32, pl.Int32, pl.Float64, pl.Int64)
    return pl.DataFrame(rows, dict(zip(COLUMNS, kinds, strict=True)), orient="row")


def find(cells: Iterable[Cell], scenario: str, contestant: str, metric: str) -> Cell | None:
    """The cell of one metric; None without any."""
    wanted = (scenario, contestant, metric)
    return next((one for one in cells if (one.scenario, one.contestant, one.metric) == wanted), None)


def points(held: Mapping[Pair, Sequence[Replay]]) -> dict[Pair, list[Point]]:
    """The latency-against-rate curve of each scenario and contestant."""
    return {pair: curve([one.ladder for one in own]) for pair, own in held.items()}


def surges(held: Mapping[Pair, Sequence[Replay]]) -> dict[Pair, Surge]:
    """What became of the overload; pairs that had none are left out."""
    found = {pair: _surge(own) for pair, own in held.items()}
    return {pair: one for pair, one in found.items() if one is not None}


def _surge(own: Sequence[Replay]) -> Surge | None:
    seen = [one.overload for one in own if one.overload is not None]
    if not seen:
        return None
    recoveries = [one.recovery_ms for one in seen if one.recovery_ms is not None]
    return Surge(
        in_time_percent=median(one.in_time_percent for one in seen),
        late_percent=median(one.late_percent for one in seen),
        refused_percent=median(one.refused_percent for one in seen),
        timed_out_percent=median(one.timed_out_percent for one in seen),
        broken_percent=median(one.broken_percent for one in seen),
        recovery_ms=median(recoveries) if recoveries else None,
        recovered=len(recoveries),
        rounds=len(seen),
    )


def _with_reasons(cell: Cell, held: Mapping[Pair, Sequence[Replay]]) -> Cell:
    if cell.metric != CAPACITY:
        return cell
    return replace(cell, reasons=_reasons(held[cell.scenario, cell.contestant]))


def _reasons(own: Sequence[Replay]) -> tuple[str, ...]:
    """Why rounds have no capacity; one of each cause, since the numbers in its words differ from round to round."""
    by_cause: dict[Cause | None, list[str]] = {}
    for one in own:
        if one.capacity_rps is None:
            by_cause.setdefault(one.cause, []).append(one.reason)
    return tuple(f"{len(texts)} of {len(own)} rounds: {texts[0]}" for texts in by_cause.values())


def _compared(
    replays: Sequence[Replay], held: Mapping[Pair, Sequence[Replay]], run: RunInfo
) -> list[Comparison]:
    """Every claim in every scenario that both answer, paired by round."""
    judged = comparisons(Measured(readings_in(observations(replays))), {}, run, (CAPACITY,))
    return [_with_note(one, held) for one in judged]


def _with_note(one: Comparison, held: Mapping[Pair, Sequence[Replay]]) -> Comparison:
    if one.low is not None:
        return one
    reasons = [f"{who}: {why}" for who in (one.a, one.b) for why in _reasons(held[one.scenario, who])]
    needed = (
        f"{one.rounds} of the {MIN_ROUNDS} rounds needed have a capacity for both; give a larger --budget"
    )
    return replace(one, note="; ".join([*reasons, *([] if one.rounds == 0 and reasons else [needed])]))


def _gates(pair: Pair, own: Sequence[Replay]) -> list[GateResult]:
    count_difference = sum(one.count_difference for one in own)
    return [
        _lag_gate(pair, own),
        *([_pause_gate(pair, own)] if own[0].search.pauses else []),
        GateResult(
            *pair,
            "request_count",
            float(count_difference),
            0.0,
            count_difference == 0,
            _counted(count_difference),
        ),
    ]


def _lag_gate(pair: Pair, own: Sequence[Replay]) -> GateResult:
    """The generator's own lag where the SLO was missed, the median of the rounds; those it explains are set aside."""
    limit_ms = LAG_SHARE * own[0].search.slo_ms
    missed = [(one.search, one.failure) for one in own if one.failure is not None]
    lags = [outcome.lag_ms for _, outcome in missed if outcome.lag_ms is not None]
    if not lags:
        note = "not measured: the SLO was never missed"
        return GateResult(*pair, "generator_lag", None, limit_ms, ok=None, note=note)
    aside = sum(lag_explains(search, outcome) for search, outcome in missed)
    note = f"{aside} of {len(lags)} rounds set aside: the load generator was late itself" if aside else ""
    return GateResult(*pair, "generator_lag", median(lags), limit_ms, aside < len(lags), note)


def _pause_gate(pair: Pair, own: Sequence[Replay]) -> GateResult:
    """How many pauses of the server a step spanned, on average over the tries of the two rates around the capacity."""
    limit = float(own[0].search.pauses - 1)  # of as many as were planned, give or take one
    seen = [count for one in own for count in _pauses(one)]
    closed = [outcome.pauses for one in own for step, outcome in one.trail if step.role == "closed"]
    if not seen or not any(closed):
        note = "the server can't tell" if None in closed else "there was none in the closed loop"
        return GateResult(*pair, "pauses", None, limit, ok=None, note=f"not measured: {note}")
    enough = mean(seen) >= limit
    note = "" if enough else "steps are too short to span the server's pauses; give a larger --budget"
    return GateResult(*pair, "pauses", mean(seen), limit, enough, note)


def _pauses(one: Replay) -> list[int]:
    around = {one.passing_rps, one.failing_rps} - {None}
    return [seen.pauses for step, seen in one.trail if step.rate_rps in around and seen.pauses is not None]


def _counted(count_difference: int) -> str:
    return f"client and server disagree by {count_difference} requests" if count_difference else ""


def _steal_percent(replays: Sequence[Replay], cpus: int) -> float | None:
    load_ms = sum(one.load_ms for one in replays)
    return 100 * sum(one.stolen_ms for one in replays) / cpus / load_ms if load_ms else None
