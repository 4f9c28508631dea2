"""The story of a capacity run: search round by round, judge, report. Start reading here."""

import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from loadtests.analysis.summary import RunInfo
from loadtests.capacity.replay import Account, accounts
from loadtests.capacity.request import Aim, CapacityRun, load_run, save_run
from loadtests.capacity.verdict import summarise
from loadtests.load.drive import drive
from loadtests.load.protocol import Progress
from loadtests.machine import description
from loadtests.machine.environment import Environment, named, open_environment
from loadtests.plan import budget
from loadtests.plan.rounds import Round
from loadtests.report.document import Story
from loadtests.runs.folder import stamp
from loadtests.samples.store import Measurement, RunStore


class Watch(Protocol):
    """Who looks on: told of every step, asked nothing."""

    def stage_set(self, aim: Aim) -> None:
        """Database and cache are up."""

    def round_begins(self, number: int) -> None:
        """The servers of a round are about to be launched."""

    def slice_done(self, progress: Progress) -> None:
        """One step of one search is over."""


def measure(run: CapacityRun, folder: Path, watch: Watch) -> CapacityRun:
    """Searches round by round, from the first that is not finished, until another would not fit into the budget.

    The first is always played. Every finished round is on disk before the next begins; a round hangs on the aim and its
    number alone, so a resumed run goes on as it would have gone on.
    """
    store, began, longest_s = RunStore(folder), time.monotonic() - run.elapsed_s, 0.0
    with open_environment(run.aim.seed, needs_database=run.aim.selection.needs_database) as environment:
        watch.stage_set(run.aim)
        facts = description.describe(environment.server_cpus, environment.load_cpus, environment.database_url)
        run = replace(run, machine=facts, status="partial", finished_at=None)
        save_run(run, folder)
        while _goes_on(run, store.finished_rounds(), longest_s):
            round_began = time.monotonic()
            round_ = run.aim.round(store.finished_rounds())
            watch.round_begins(round_.index + 1)
            store.save_round(round_.index, _play(round_, run.aim, environment, watch))
            longest_s = max(longest_s, time.monotonic() - round_began)
            run = replace(run, elapsed_s=time.monotonic() - began)
            save_run(run, folder)
    finished = replace(run, status="complete", finished_at=stamp(datetime.now(UTC)))
    save_run(finished, folder)
    return finished


def report(folder: Path) -> Story:
    """Judges what the folder holds, writes the report into it and returns what it tells; measures nothing."""
    run = load_run(folder)
    found = found_in(folder, run.aim)
    from loadtests.capacity.report import write_report  # noqa: PLC0415  charts take long to import

    return write_report(summarise(found, info_of(run, found)), found, run.aim, folder)


def found_in(folder: Path, aim: Aim) -> list[Account]:
    """The accounts of all finished rounds, read one round at a time."""
    return [one for samples in RunStore(folder).rounds() for one in accounts(samples, aim.searches)]


def info_of(run: CapacityRun, found: list[Account]) -> RunInfo:
    """What the report says of a run."""
    chosen = run.aim.selection
    return RunInfo(
        id=run.id,
        status="complete" if run.status == "complete" else "partial",
        profile="capacity",
        seed=run.aim.seed,
        started_at=run.started_at,
        finished_at=run.finished_at,
        duration_s=run.elapsed_s,
        load_s=sum(one.load_ms for one in found) / 1000,
        rounds=len({one.round for one in found}),
        margin=chosen.profile.margin,
        cpus=len(os.sched_getaffinity(0)),
        stop_rule=f"no round is begun that would not fit into {run.aim.budget_s:g} s; no result is looked at",
        machine=run.machine,
        contestants={one.name: one.title for one in chosen.contestants},
        scenarios={one.name: one.title for one in chosen.scenarios},
        keep_alive={one.name: one.keep_alive for one in chosen.contestants},
        claims=chosen.claims,
    )


def _goes_on(run: CapacityRun, finished: int, longest_s: float) -> bool:
    return finished == 0 or budget.another_fits(run.aim.budget_s, run.elapsed_s, longest_s)


def _play(round_: Round, aim: Aim, environment: Environment, watch: Watch) -> Measurement:
    chosen = aim.selection
    with environment.servers(named(round_.contestants, chosen.by_name)) as endpoints:
        return drive(
            round_,
            chosen.scenarios,
            endpoints,
            cpus=environment.load_cpus,
            seed=aim.seed,
            on_slice=watch.slice_done,
        )
