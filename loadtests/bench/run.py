"""The story of a run: plan, measure round by round, summarise, judge. Start reading here."""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from loadtests.analysis import precision
from loadtests.analysis.digest import Digest, digest, merge
from loadtests.analysis.observations import closed_throughput
from loadtests.analysis.summary import RunInfo, Summary
from loadtests.analysis.verdict import summarise
from loadtests.config.profiles import Profile
from loadtests.config.selection import Selection, select
from loadtests.load.drive import drive
from loadtests.load.protocol import Progress
from loadtests.machine import description
from loadtests.machine.environment import Environment, named, open_environment
from loadtests.plan import budget
from loadtests.plan.rounds import Plan, Round, open_rates
from loadtests.report.tables import Table
from loadtests.runs.folder import Run, load_run, save_run, stamp
from loadtests.samples.store import Measurement, RunStore, Samples


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

    Every finished round is on disk before the next begins, so an interruption loses one round at most. A round hangs on
    the wishes and on the rounds before it alone: a resumed run goes on exactly as it would have gone on.
    """
    selection, store = select(run.wishes), RunStore(folder)
    plan = plan_of(run, selection)
    with open_environment(run.wishes.seed, needs_database=selection.needs_database) as environment:
        watch.stage_set(plan)
        facts = description.describe(environment.server_cpus, environment.load_cpus, environment.database_url)
        run = replace(run, machine=facts, status="partial", finished_at=None)
        save_run(run, folder)
        known = digested(store.rounds(), plan.profile)
        run = replace(run, rates=_rates(run, known, plan))
        longest_s, began = 0.0, time.monotonic() - run.elapsed_s
        while True:
            found = _widths(known, run, plan)
            if is_over(plan, run, known.rounds, found, time.monotonic() - began, longest_s):
                break
            round_began = time.monotonic()
            round_ = next_round(plan, run, known.rounds, found)
            measured = _play(round_, plan, selection, environment, watch)
            store.save_round(round_.index, measured)
            known = merge([known, digested([store.round(round_.index)], plan.profile)])
            longest_s = max(longest_s, time.monotonic() - round_began)
            run = replace(
                run,
                rates=_rates(run, known, plan),
                servers={**run.servers, **dict(measured.servers.select("contestant", "argv").iter_rows())},
                elapsed_s=time.monotonic() - began,
            )
            save_run(run, folder)
    finished = replace(run, status="complete", finished_at=stamp(datetime.now(UTC)))
    save_run(finished, folder)
    return finished


def plan_of(run: Run, selection: Selection) -> Plan:
    """The plan of a run: the same for the same wishes, whenever it is resumed or reported."""
    return budget.fitted(
        selection.profile,
        run.wishes.seed,
        selection.contestants,
        selection.scenarios,
        selection.claims,
        run.wishes.design,
        budget.ROUNDS_WANTED if run.wishes.precision is None else budget.ROUNDS_PRECISE,
    )


def digested(rounds: Iterable[Samples], profile: Profile) -> Digest:
    """What reports are made of, under the profile's limit of stolen time."""
    return digest(rounds, profile.steal_limit_percent, len(os.sched_getaffinity(0)))


def report(folder: Path, selftest: Sequence[Table] = ()) -> Summary:
    """Judges what the folder holds and writes the report into it; measures nothing.

    selftest: tables that say how far the suite can be trusted on this machine, shown as well.
    """
    run = load_run(folder)
    known = digested(RunStore(folder).rounds(), select(run.wishes).profile)
    summary = summarise(known, replace(info_of(run, known.rounds), load_s=known.load_s))
    from loadtests.report.files import write_report  # noqa: PLC0415  charts take long to import

    write_report(summary, known, folder, selftest)
    return summary


def info_of(run: Run, rounds: int) -> RunInfo:
    """What the report says of a run."""
    selection = select(run.wishes)
    plan = plan_of(run, selection)
    contestants = named(sorted(plan.launched), selection.by_name)
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
        stop_rule=budget.stop_rule(plan.profile, run.wishes.precision),
        precision=run.wishes.precision,
        design=run.wishes.design,
        machine=run.machine,
        contestants={one.name: one.title for one in contestants},
        scenarios={one.name: one.title for one in plan.scenarios},
        keep_alive={one.name: one.keep_alive for one in contestants},
        claims=plan.claims,
    )


def _rates(run: Run, known: Digest, plan: Plan) -> Mapping[str, float]:
    """The arrival rates of the open loop: those noted, else as what is known sets them; none before round 0 is over."""
    return run.rates or open_rates(closed_throughput(known), plan.profile)


def _widths(known: Digest, run: Run, plan: Plan) -> dict[str, float]:
    """How far the headline intervals reach, by scenario; of no interest unless a precision was asked for."""
    if run.wishes.precision is None or known.rounds < budget.MIN_ROUNDS:
        return {}
    return precision.widths(summarise(known, info_of(run, known.rounds)).comparisons, plan.claims)


def is_over(
    plan: Plan, run: Run, finished: int, found: Mapping[str, float], elapsed_s: float, longest_s: float
) -> bool:
    """Whether the stopping rule ends the run; found: how far its headline intervals reach, by scenario."""
    if finished == 0:
        return False
    wanted = run.wishes.precision
    if wanted is not None and precision.reached(found, wanted, finished):
        return True
    return finished >= plan.profile.max_rounds or not budget.another_fits(
        plan.profile.budget_s, elapsed_s, longest_s
    )


def next_round(plan: Plan, run: Run, finished: int, found: Mapping[str, float]) -> Round:
    """The next round; where a precision was asked for, with more of what is still wide."""
    wanted = run.wishes.precision
    weights = precision.weights(found, wanted, finished) if wanted is not None else {}
    return plan.round(finished, run.rates or None, weights)


def _play(
    round_: Round, plan: Plan, selection: Selection, environment: Environment, watch: Watch
) -> Measurement:
    watch.round_begins(round_.index + 1, len(round_.slices))
    with environment.servers(named(round_.contestants, selection.by_name)) as endpoints:
        return drive(
            round_,
            plan.scenarios,
            endpoints,
            cpus=environment.load_cpus,
            seed=plan.seed,
            on_slice=watch.slice_done,
        )
