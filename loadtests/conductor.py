"""The conductor of a round: slice after slice, it has the crew load a server and reads the meters around it."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic_ns
from typing import Any

import polars as pl

from loadtests.assignment import Assignment, Progress
from loadtests.crew import Crew
from loadtests.plan import Slice
from loadtests.rows import body_misses, poisson_arrivals_ns, requests_frame
from loadtests.samples import REQUESTS, SERVERS, SLICES, Failure, Measurement
from loadtests.scenarios import Prepared, prepare
from loadtests.stretch import ClosedLoop, OpenLoop, Stretch
from loadtests.target import Reading, Target
from loadtests.wire import Connection

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

    def conduct(self, on_slice: Callable[[Progress], None]) -> Measurement:
        """Drive all slices in turn. A server that is down gives rows that failed, never an exception."""
        requests, slices = [pl.DataFrame(schema=REQUESTS)], []
        gc.collect()
        gc.freeze()
        gc.disable()
        for piece in self._assignment.round.slices:
            frame, facts = self._run(piece)
            requests.append(frame)
            slices.append(facts)
            on_slice(_progress(piece, frame))
            gc.collect()
        servers = [_server_facts(target) for target in self._targets.values()]
        return Measurement(
            pl.concat(requests), pl.DataFrame(slices, schema=SLICES), pl.DataFrame(servers, schema=SERVERS)
        )

    def _run(self, piece: Slice) -> tuple[pl.DataFrame, dict[str, Any]]:
        """One slice: the server's count, warm-up, the measured load, the count again."""
        target, requests = self._targets[piece.contestant], self._requests[piece.scenario]
        count, opened = target.count(), target.opened
        warmup = self._stretch(piece, requests, warm=True)
        warmed = self._load(warmup, target, piece) if count is not None else None
        drive = self._load(self._stretch(piece, requests, warm=False), target, piece)
        count_after = target.count()
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
            "server_requests": _between(count, count_after),
            "connections": target.opened - opened,
        }

    def _load(self, stretch: Stretch, target: Target, piece: Slice) -> Drive:
        connections = target.connections(piece.concurrency)
        if target.endpoint.keep_alive:
            self._crew.each(Connection.ensure_open, connections)
        before, start_ns = target.read_meters(), monotonic_ns()
        stretch.begin(start_ns)
        self._crew.each(stretch.drive, connections)
        return Drive(stretch, start_ns, before, target.read_meters())

    def _stretch(self, piece: Slice, requests: tuple[Prepared, ...], *, warm: bool) -> Stretch:
        """The warm-up begins half-way round the requests, so that the measured part always begins at the same."""
        seconds = piece.warmup_s if warm else piece.duration_s
        first = piece.seed + len(requests) // 2 if warm else piece.seed
        kept = CHECKED_BODIES if warm else 0
        if piece.rate_rps is None:
            return ClosedLoop(requests, first, round(seconds * 1e9), kept)
        arrivals_ns = poisson_arrivals_ns(piece.rate_rps, seconds, (piece.seed, int(warm)))
        return OpenLoop(requests, first, arrivals_ns, round(self._assignment.timeout_s * 1e9), kept)


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
    stop_ns = drive.start_ns + round(piece.duration_s * 1e9)
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
    return Progress(piece.index, piece.scenario, piece.contestant, piece.mode, frame.height - failed, failed)
