"""A run from its first launch to its last round: what every kind of run has in common."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, Protocol

from loadtests.config.contestants import Contestant
from loadtests.config.scenarios import Scenario
from loadtests.load.drive import load_process
from loadtests.load.protocol import SliceDone
from loadtests.machine import description
from loadtests.machine.environment import Environment, open_environment
from loadtests.plan.rounds import Round, named
from loadtests.runs.folder import stamp
from loadtests.runs.record import Record, save_record
from loadtests.samples.store import Measurement, RunStore

PROMPTLY_S = 0.1  # what a server gets to end in after its round; then it is killed


class Observer(Protocol):
    """Is called at every step of a run."""

    def services_ready(self) -> None:
        """Database and cache are up."""

    def round_begins(self, round_: Round) -> None:
        """The servers of a round are about to be launched."""

    def slice_done(self, progress: SliceDone) -> None:
        """One slice is over."""


@dataclass(frozen=True, slots=True)
class Series(Generic[Record]):
    """The rounds of a run.

    next_round: the round after those on disk, None when the run is over; it is given the longest round since the last
    start or resumption, in seconds. updated: the record after a round, given what was measured in it.
    """

    seed: int
    contestants: Sequence[Contestant]
    scenarios: Sequence[Scenario]
    next_round: Callable[[Record, float], Round | None]
    updated: Callable[[Record, Measurement], Record]


def measure_rounds(
    run: Record, folder: Path, series: Series[Record], store: RunStore, observer: Observer
) -> Record:
    """Measures round by round, from the first that is not finished, until there is none left; returns the last record.

    Every finished round is on disk before the next begins, so an interruption loses one round at most.
    """
    began, longest_s = time.monotonic() - run.elapsed_s, 0.0
    needs_database = any(one.needs_database for one in series.contestants)
    with open_environment(series.seed, needs_database=needs_database) as environment:
        observer.services_ready()
        run = _begun(run, environment)
        save_record(run, folder)
        while round_ := series.next_round(replace(run, elapsed_s=time.monotonic() - began), longest_s):
            round_began = time.monotonic()
            observer.round_begins(round_)
            measured = _measured(round_, series, environment, observer)
            store.save_round(round_.index, measured)
            longest_s = max(longest_s, time.monotonic() - round_began)
            run = replace(series.updated(run, measured), elapsed_s=time.monotonic() - began)
            save_record(run, folder)
    finished = replace(run, status="complete", finished_at=stamp(datetime.now(UTC)))
    save_record(finished, folder)
    return finished


def _begun(run: Record, environment: Environment) -> Record:
    facts = description.describe(environment.cpus, environment.database_url)
    cpus, load_cpus = len(os.sched_getaffinity(0)), len(environment.metered.load_cpus)
    return replace(
        run, machine=facts, cpus=cpus, load_cpus=max(load_cpus, 1), status="partial", finished_at=None
    )


def _measured(
    round_: Round, series: Series[Record], environment: Environment, observer: Observer
) -> Measurement:
    contestants = named(round_.contestants, series.contestants)
    with (
        load_process(round_, environment.load_cpus) as process,
        environment.servers(contestants, stop_s=PROMPTLY_S) as endpoints,
    ):
        return process.drive(
            series.scenarios,
            endpoints,
            metered=environment.metered,
            seed=series.seed,
            on_slice=observer.slice_done,
        )
