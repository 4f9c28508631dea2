"""The story of a run: plan, measure round by round, summarise, judge. Start reading here."""

import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from loadtests import budget, machine
from loadtests.assignment import Progress
from loadtests.drive import drive
from loadtests.observe import closed_throughput
from loadtests.plan import Plan, Round, open_rates
from loadtests.report import write_report
from loadtests.runs import Run, load_run, save_run, stamp
from loadtests.samples import Measurement, RunStore
from loadtests.selection import Selection, select
from loadtests.stage import Stage, named, stage
from loadtests.summary import RunInfo, Summary
from loadtests.verdict import summarise


class Watch(Protocol):
    """Who looks on: told of every step, asked nothing."""

    def stage_set(self, plan: Plan) -> None:
        """Database and cache are up."""

    def round_begins(self, number: int, slices: int) -> None:
        """The servers of a round are about to be launched."""

    def slice_done(self, progress: Progress) -> None:
        """One slice is over."""


def measure(run: Run, folder: Path, watch: Watch) -> Run:
    """Measures round by round, from the first that is not finished, until the stopping rule ends the run.

    Every finished round is on disk before the next begins, so an interruption loses one round at most.
    """
    selection, store = select(run.wishes), RunStore(folder)
    plan = plan_of(run, selection)
    with stage(run.wishes.seed) as scene:
        watch.stage_set(plan)
        facts = machine.describe(scene.server_cpus, scene.load_cpus, scene.database_url)
        run = replace(run, machine=facts, status="partial", finished_at=None)
        save_run(run, folder)
        longest_s, began = 0.0, time.monotonic() - run.elapsed_s
        while _goes_on(plan, store.finished_rounds(), time.monotonic() - began, longest_s):
            round_began = time.monotonic()
            round_ = plan.round(store.finished_rounds(), run.rates or None)
            store.save_round(round_.index, _play(round_, plan, selection, scene, watch))
            run = replace(
                run, rates=run.rates or open_rates(closed_throughput(store.samples()), plan.profile)
            )
            longest_s = max(longest_s, time.monotonic() - round_began)
            run = replace(run, elapsed_s=time.monotonic() - began)
            save_run(run, folder)
    finished = replace(run, status="complete", finished_at=stamp(datetime.now(UTC)))
    save_run(finished, folder)
    return finished


def plan_of(run: Run, selection: Selection) -> Plan:
    """The plan of a run: the same for the same wishes, whenever it is resumed or reported."""
    return budget.fitted(
        selection.profile, run.wishes.seed, selection.contestants, selection.scenarios, selection.claims
    )


def report(folder: Path) -> Summary:
    """Judges what the folder holds and writes the report into it; measures nothing."""
    run, samples = load_run(folder), RunStore(folder).samples()
    info = replace(info_of(run, RunStore(folder).finished_rounds()), load_s=samples.load_s)
    summary = summarise(samples, info)
    write_report(summary, samples, folder)
    return summary


def info_of(run: Run, rounds: int) -> RunInfo:
    """What the report says of a run."""
    selection = select(run.wishes)
    plan = plan_of(run, selection)
    names = {name for answering in plan.answers.values() for name in answering}
    contestants = named(sorted(names), selection.by_name)
    return RunInfo(
        id=run.id,
        status="complete" if run.status == "complete" else "partial",
        profile=run.wishes.profile,
        seed=run.wishes.seed,
        started_at=run.started_at,
        finished_at=run.finished_at,
        duration_s=run.elapsed_s,
        rounds=rounds,
        margin=plan.profile.margin,
        steal_limit_percent=plan.profile.steal_limit_percent,
        cpus=len(os.sched_getaffinity(0)),
        stop_rule=budget.stop_rule(plan.profile),
        machine=run.machine,
        contestants={one.name: one.title for one in contestants},
        scenarios={one.name: one.title for one in plan.scenarios},
        keep_alive={one.name: one.keep_alive for one in contestants},
        claims=plan.claims,
    )


def _goes_on(plan: Plan, finished: int, elapsed_s: float, longest_s: float) -> bool:
    if finished >= plan.profile.max_rounds:
        return False
    return finished == 0 or budget.another_fits(plan.profile.budget_s, elapsed_s, longest_s)


def _play(round_: Round, plan: Plan, selection: Selection, scene: Stage, watch: Watch) -> Measurement:
    watch.round_begins(round_.index + 1, len(round_.slices))
    with scene.servers(named(round_.contestants, selection.by_name)) as endpoints:
        return drive(
            round_,
            plan.scenarios,
            endpoints,
            cpus=scene.load_cpus,
            seed=plan.seed,
            on_slice=watch.slice_done,
        )
