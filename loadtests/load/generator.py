"""The conductor of a round: slice after slice, it has the crew load a server and reads the meters around it.

After the slices that are planned come those that its searches ask for, one of each in turn.
"""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from time import monotonic_ns
from typing import Any

import polars as pl

from loadtests.load.connection import Connection
from loadtests.load.loops import ClosedLoop, OpenLoop, Stretch
from loadtests.load.protocol import Assignment, Progress
from loadtests.load.recording import body_misses, requests_frame
from loadtests.load.requests import Prepared, prepare, prepare_setup
from loadtests.load.server_connections import Reading, Target
from loadtests.load.user_pool import Crew
from loadtests.plan.arrivals import arrivals_ns, surge_ns
from loadtests.plan.rounds import Slice
from loadtests.plan.search import Hunt
from loadtests.plan.search_slices import turn
from loadtests.samples.outcome import outcome_of
from loadtests.samples.store import REQUESTS, SERVERS, SLICES, Failure, Measurement

CHECKED_BODIES = 32  # a slice, out of its warm-up


@dataclass(frozen=True, slots=True)
class Drive:
    """What a slice's load gave: the requests, and what the meters showed before and after."""

    stretch: Stretch
    start_ns: int
    before: Reading
    after: Reading

    @property
    def last_ns(self) -> int:
        """When the last answer was in; the start, where nothing was asked."""
        return max((row.end_ns for row in self.stretch.rows), default=self.start_ns)


class Conductor:
    """Drives the slices of one assignment, with the crew's users."""

    def __init__(self, assignment: Assignment, crew: Crew) -> None:
        self._assignment = assignment
        self._crew = crew
        self._requests = {one.name: prepare(one, assignment.seed) for one in assignment.scenarios}
        self._targets = {
            one.name: Target(one, assignment.users, assignment.timeout_s) for one in assignment.endpoints
        }
        self._socket_paths = {one.name: one.socket_path for one in assignment.scenarios}
        self._setups = {one.name: prepare_setup(one, assignment.seed) for one in assignment.scenarios}
        self._set_up: set[tuple[str, str]] = set()
        self._rows = [pl.DataFrame(schema=REQUESTS)]
        self._facts: list[dict[str, Any]] = []

    def conduct(self, on_slice: Callable[[Progress], None]) -> Measurement:
        """Drive all slices in turn. A server that is down gives rows that failed, never an exception."""
        gc.collect()
        gc.freeze()
        gc.disable()
        for piece in self._assignment.round.slices:
            self._keep(piece, on_slice)
        self._hunt(on_slice)
        servers = [_server_facts(target) for target in self._targets.values()]
        return Measurement(
            pl.concat(self._rows),
            pl.DataFrame(self._facts, schema=SLICES),
            pl.DataFrame(servers, schema=SERVERS),
        )

    def _hunt(self, on_slice: Callable[[Progress], None]) -> None:
        """Drive the searches, turn after turn, until the last has ended."""
        round_ = self._assignment.round
        hunts = [Hunt(search) for search in round_.searches]
        for number in count():
            pieces = turn(round_, hunts, number, len(self._facts))
            if not pieces:
                return
            for hunt, piece in pieces:
                hunt.learn(outcome_of(*self._keep(piece, on_slice)))

    def _keep(
        self, piece: Slice, on_slice: Callable[[Progress], None]
    ) -> tuple[pl.DataFrame, dict[str, Any]]:
        """Run one slice, keep its rows and facts, and tell of it."""
        frame, facts = self._run(piece)
        self._rows.append(frame)
        self._facts.append(facts)
        on_slice(_progress(piece, frame))
        gc.collect()
        return frame, facts

    def _run(self, piece: Slice) -> tuple[pl.DataFrame, dict[str, Any]]:
        """One slice: the server's count, warm-up, the measured load, the count again."""
        target, requests = self._targets[piece.contestant], self._requests[piece.scenario]
        self._ask_setup(piece, target)
        counted, opened = target.count(), target.opened
        warmup = self._stretch(piece, requests, warm=True)
        warmed = self._load(warmup, target, piece) if counted is not None else None
        drive = self._load(self._stretch(piece, requests, warm=False), target, piece)
        count_after = target.count()
        target.rest()
        frame = requests_frame(
            piece.index, drive.stretch.rows, requests, body_misses(warmup.bodies, requests)
        )
        if _timed_out(frame):
            target.be_brief()
        return frame, {
            **_plan_facts(piece, self._assignment.round.index),
            **_meter_facts(piece, drive),
            "warmup_ns": warmed.last_ns - warmed.start_ns if warmed else 0,
            "warmup_requests": warmup.begun,
            "client_requests": warmup.begun + drive.stretch.begun,
            "server_requests": _between(counted, count_after),
            "connections": target.opened - opened,
        }

    def _ask_setup(self, piece: Slice, target: Target) -> None:
        """Once a scenario and server. What is answered shows in the slices: what they ask for is there, or is not."""
        if (piece.scenario, piece.contestant) not in self._set_up:
            self._set_up.add((piece.scenario, piece.contestant))
            for request in self._setups[piece.scenario]:
                target.ask(request.wire)

    def _load(self, stretch: Stretch, target: Target, piece: Slice) -> Drive:
        connections = target.connections(piece.concurrency, self._socket_paths[piece.scenario])
        if target.endpoint.keep_alive:
            self._crew.each(Connection.ensure_open, connections)
        before, start_ns = target.read_meters(), monotonic_ns()
        stretch.begin(start_ns)
        self._crew.each(stretch.drive, connections)
        return Drive(stretch, start_ns, before, target.read_meters())

    def _stretch(self, piece: Slice, requests: tuple[Prepared, ...], *, warm: bool) -> Stretch:
        """The warm-up begins half-way round the requests, so that the measured part always begins at the same."""
        first = piece.seed + len(requests) // 2 if warm else piece.seed
        kept = CHECKED_BODIES if warm else 0
        if piece.rate_rps is None:
            seconds = piece.warmup_s if warm else piece.duration_s
            return ClosedLoop(requests, first, round(seconds * 1e9), kept)
        patience_ns = round(self._assignment.timeout_s * 1e9)
        return OpenLoop(requests, first, _due_ns(piece, piece.rate_rps, warm=warm), patience_ns, kept)


def _due_ns(piece: Slice, rate_rps: float, *, warm: bool) -> list[int]:
    """When requests are due after the start of the slice, or of its warm-up."""
    seed = (piece.seed, int(warm))
    if warm:
        return arrivals_ns(piece.arrivals, rate_rps, piece.warmup_s, seed)
    if not piece.relief_s:
        return arrivals_ns(piece.arrivals, rate_rps, piece.duration_s, seed)
    spans_s = (piece.duration_s, piece.relief_s)
    return surge_ns(piece.arrivals, (rate_rps, piece.relief_rps), spans_s, seed)


def _plan_facts(piece: Slice, round_index: int) -> dict[str, Any]:
    return {
        "round": round_index,
        "slice": piece.index,
        "block": piece.block,
        "scenario": piece.scenario,
        "contestant": piece.contestant,
        "mode": piece.mode,
        "rate_rps": piece.rate_rps,
        "concurrency": piece.concurrency,
    }


def _meter_facts(piece: Slice, drive: Drive) -> dict[str, Any]:
    stop_ns = drive.start_ns + round((piece.duration_s + piece.relief_s) * 1e9)
    return {
        "start_ns": drive.start_ns,
        "stop_ns": stop_ns,
        "drained_ns": drive.last_ns,
        "server_cpu_ns": _between(drive.before.server_cpu_ns, drive.after.server_cpu_ns, own=0),
        "generator_cpu_ns": drive.after.generator_cpu_ns - drive.before.generator_cpu_ns,
        "steal_ms": drive.after.steal_ms - drive.before.steal_ms,
    }


def _between(before: int | None, after: int | None, own: int = 1) -> int | None:
    """The difference less the asker's own share (the second count counts itself); None if either is not known."""
    return None if before is None or after is None else after - before - own


def _server_facts(target: Target) -> dict[str, Any]:
    return {
        "contestant": target.endpoint.name,
        "pss_kib": target.tree.pss_kib(),
        "start_s": target.endpoint.start_s,
        "argv": " ".join(target.endpoint.argv),
        "processes": len(target.tree.pids),
    }


def _timed_out(frame: pl.DataFrame) -> bool:
    return bool((frame["failure"] == Failure.TIMEOUT).any())


def _progress(piece: Slice, frame: pl.DataFrame) -> Progress:
    failed = int((frame["failure"] != Failure.NONE).sum())
    answered = frame.height - failed
    return Progress(
        piece.index, piece.scenario, piece.contestant, piece.mode, answered, failed, piece.rate_rps
    )
