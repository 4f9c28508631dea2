"""A capacity run: search round by round, judge, report. Start reading here."""

from collections.abc import Sequence
from pathlib import Path

from loadtests.analysis.summary import RunInfo
from loadtests.capacity.record import CapacityRun, load_run
from loadtests.capacity.replay import Replay, replays
from loadtests.capacity.request import round_of
from loadtests.capacity.verdict import summarise
from loadtests.plan import budget
from loadtests.plan.rounds import Round
from loadtests.report.document import Document
from loadtests.runs.measuring import Observer, Series, measure_rounds
from loadtests.samples.store import Measurement, RunStore


def measure(run: CapacityRun, folder: Path, observer: Observer) -> CapacityRun:
    """Searches round by round, from the first that is not finished, until another would not fit into the budget.

    The first is always measured. A round depends on the request and its number alone, so a resumed run continues
    as it would have without the stop.
    """
    store = RunStore(folder)

    def next_round(run: CapacityRun, longest_s: float) -> Round | None:
        finished = store.finished_rounds()
        goes_on = finished == 0 or budget.another_fits(run.request.budget_s, run.elapsed_s, longest_s)
        return round_of(run.searches, run.request.seed, finished) if goes_on else None

    def updated(run: CapacityRun, _: Measurement) -> CapacityRun:
        return run

    chosen = run.selection
    series = Series(run.request.seed, chosen.contestants, chosen.scenarios, next_round, updated)
    return measure_rounds(run, folder, series, store, observer)


def report(folder: Path) -> Document:
    """Judges what the folder holds, writes the report into it and returns what it says; measures nothing."""
    run = load_run(folder)
    found = [one for samples in RunStore(folder).rounds() for one in replays(samples, run.searches)]
    from loadtests.capacity.report import write_report  # noqa: PLC0415  charts take long to import

    return write_report(summarise(found, info_of(run, found)), found, run, folder)


def info_of(run: CapacityRun, found: Sequence[Replay]) -> RunInfo:
    """What the report says of a run."""
    chosen = run.selection
    return RunInfo(
        id=run.id,
        status=run.status,
        profile="capacity",
        seed=run.request.seed,
        started_at=run.started_at,
        finished_at=run.finished_at,
        duration_s=run.elapsed_s,
        load_s=sum(one.load_ms for one in found) / 1000,
        rounds=len({one.round for one in found}),
        margin=chosen.profile.margin,
        cpus=run.cpus,
        stop_rule=f"stop when another round would not fit into {run.request.budget_s:g} s; results are not looked at",
        machine=run.machine,
        contestants={one.name: one.title for one in chosen.contestants},
        frameworks={one.name: one.framework for one in chosen.contestants},
        scenarios={one.name: one.title for one in chosen.scenarios},
        waiting=tuple(one.name for one in chosen.scenarios if one.waits),
        keep_alive={one.name: one.keep_alive for one in chosen.contestants},
        claims=chosen.claims,
    )
