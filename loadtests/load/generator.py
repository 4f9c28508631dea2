"""The load generator of a round: for each slice, users load a server, and the meters are read before and after.

The planned slices come first, then those of the searches, one of each in turn.
"""

import gc
from collections.abc import Callable
from dataclasses import asdict
from itertools import count
from time import monotonic_ns

import polars as pl

from loadtests.load import slice_facts
from loadtests.load.connection import Connection
from loadtests.load.loops import ClosedLoop, Loop, OpenLoop
from loadtests.load.protocol import Assignment, SliceDone
from loadtests.load.recording import body_misses, requests_frame
from loadtests.load.requests import Prepared, prepare, prepare_setup
from loadtests.load.server_connections import ServerConnections
from loadtests.load.slice_facts import Counts, MeteredLoad
from loadtests.load.user_pool import UserPool
from loadtests.plan.arrivals import arrivals_ns, surge_ns
from loadtests.plan.rounds import Slice
from loadtests.plan.search_procedure import OngoingSearch
from loadtests.plan.search_slices import turn
from loadtests.samples.facts import SliceFacts
from loadtests.samples.outcome import outcome_of
from loadtests.samples.store import REQUESTS, SERVERS, SLICES, Failure, Measurement

CHECKED_BODIES = 32  # per slice, from its warm-up


class LoadGenerator:
    """Drives the slices of one assignment with the users of a pool."""

    def __init__(self, assignment: Assignment, users: UserPool) -> None:
        self._assignment = assignment
        self._users = users
        self._requests = {one.name: prepare(one, assignment.seed) for one in assignment.scenarios}
        self._servers = {
            one.name: ServerConnections(one, assignment.users, assignment.timeout_s)
            for one in assignment.endpoints
        }
        self._socket_paths = {one.name: one.socket_path for one in assignment.scenarios}
        self._setups = {one.name: prepare_setup(one, assignment.seed) for one in assignment.scenarios}
        self._set_up: set[tuple[str, str]] = set()
        self._rows = [pl.DataFrame(schema=REQUESTS)]
        self._facts: list[SliceFacts] = []

    def run(self, on_slice: Callable[[SliceDone], None]) -> Measurement:
        """Drive all slices in turn. A server that is down gives rows that failed, never an exception.

        Garbage is collected between the slices only, so that no collection delays a request.
        """
        gc.collect()
        gc.freeze()
        gc.disable()
        for piece in self._assignment.round.slices:
            self._run_and_keep(piece, on_slice)
        self._search(on_slice)
        servers = [slice_facts.of_server(server) for server in self._servers.values()]
        return Measurement(
            pl.concat(self._rows),
            pl.DataFrame([asdict(one) for one in self._facts], schema=SLICES),
            pl.DataFrame(servers, schema=SERVERS),
        )

    def _search(self, on_slice: Callable[[SliceDone], None]) -> None:
        """Drive the searches, one slice of each per turn, until all have ended."""
        round_ = self._assignment.round
        searches = [OngoingSearch(search) for search in round_.searches]
        for number in count():
            pieces = turn(round_, searches, number, len(self._facts))
            if not pieces:
                return
            for search, piece in pieces:
                search.learn(outcome_of(*self._run_and_keep(piece, on_slice)))

    def _run_and_keep(
        self, piece: Slice, on_slice: Callable[[SliceDone], None]
    ) -> tuple[pl.DataFrame, SliceFacts]:
        """Run one slice, keep its rows and facts, and report it."""
        frame, facts = self._run_slice(piece)
        self._rows.append(frame)
        self._facts.append(facts)
        on_slice(_progress(piece, frame))
        gc.collect()
        return frame, facts

    def _run_slice(self, piece: Slice) -> tuple[pl.DataFrame, SliceFacts]:
        """One slice: the server's count, warm-up, the measured load, the count again."""
        server, requests = self._servers[piece.contestant], self._requests[piece.scenario]
        self._send_setup(piece, server)
        counted, opened = server.request_count(), server.opened
        warmup = self._loop(piece, requests, warm=True)
        warmed = self._load(warmup, server, piece) if counted is not None else None
        load = self._load(self._loop(piece, requests, warm=False), server, piece)
        count_after = server.request_count()
        server.close_sockets()
        frame = requests_frame(piece.index, load.loop.rows, requests, body_misses(warmup.bodies, requests))
        if _timed_out(frame):
            server.shorten_timeout()
        counts = Counts(
            warmup_ns=warmed.last_ns - warmed.start_ns if warmed else 0,
            warmup_requests=warmup.begun,
            client_requests=warmup.begun + load.loop.begun,
            server_requests=slice_facts.between(counted, count_after, own=1),
            connections=server.opened - opened,
        )
        return frame, slice_facts.of_slice(piece, self._assignment.round.index, load, counts)

    def _send_setup(self, piece: Slice, server: ServerConnections) -> None:
        """The scenario's setup requests, once per server. If they fail, the answers of the slices show it."""
        if (piece.scenario, piece.contestant) not in self._set_up:
            self._set_up.add((piece.scenario, piece.contestant))
            for request in self._setups[piece.scenario]:
                server.send(request.wire)

    def _load(self, loop: Loop, server: ServerConnections, piece: Slice) -> MeteredLoad:
        connections = server.connections(piece.concurrency, self._socket_paths[piece.scenario])
        if server.endpoint.keep_alive:
            self._users.each(Connection.ensure_open, connections)
        before, start_ns = server.read_meters(), monotonic_ns()
        loop.begin(start_ns)
        self._users.each(loop.drive, connections)
        return MeteredLoad(loop, start_ns, before, server.read_meters())

    def _loop(self, piece: Slice, requests: tuple[Prepared, ...], *, warm: bool) -> Loop:
        """The warm-up begins half-way round the requests, so that the measured part always begins at the same one."""
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


def _timed_out(frame: pl.DataFrame) -> bool:
    return bool((frame["failure"] == Failure.TIMEOUT).any())


def _progress(piece: Slice, frame: pl.DataFrame) -> SliceDone:
    failed = int((frame["failure"] != Failure.NONE).sum())
    answered = frame.height - failed
    return SliceDone(
        piece.index, piece.scenario, piece.contestant, piece.mode, answered, failed, piece.rate_rps
    )
