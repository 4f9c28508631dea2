"""The load generator of a round: for each slice, users load a server, and the meters are read before and after.

The planned slices come first, then those of the searches, one of each in turn.
"""

import gc
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from itertools import count
from random import Random
from time import monotonic_ns

import polars as pl

from loadtests.load import slice_facts
from loadtests.load.connection import Connection
from loadtests.load.loops import ClosedLoop, Loop, OpenLoop
from loadtests.load.protocol import Assignment, SliceDone
from loadtests.load.recording import answers_frame, requests_frame
from loadtests.load.requests import Prepared, prepare, prepare_setup
from loadtests.load.server_connections import ServerConnections
from loadtests.load.slice_facts import Counts, MeteredLoad, Warmup
from loadtests.load.user_pool import UserPool
from loadtests.machine.meters import SharedMeters
from loadtests.plan.arrivals import arrivals_ns, surge_ns
from loadtests.plan.rounds import Slice, collector_share
from loadtests.plan.search_procedure import OngoingSearch
from loadtests.plan.search_slices import turn
from loadtests.plan.sizes import sized
from loadtests.samples.facts import SliceFacts
from loadtests.samples.outcome import outcome_of
from loadtests.samples.store import ANSWERS, REQUESTS, SERVERS, SLICES, Failure, Measurement

KEPT_ANSWERS = 8  # per slice, at places drawn from its seed
BRIEF = 8  # requests before each slice but the first of a loop
GIVEN_UP = 5  # a slice of fixed work ends after so many times its planned length and GIVEN_UP_S, whatever has been sent
GIVEN_UP_S = 2.0


class LoadGenerator:
    """Drives the slices of one assignment with the users of a pool."""

    def __init__(self, assignment: Assignment, users: UserPool) -> None:
        self._assignment = assignment
        self._users = users
        self._scenarios = {one.name: one for one in assignment.scenarios}
        self._requests = {one.name: prepare(one, assignment.seed) for one in assignment.scenarios}
        meters = SharedMeters(assignment.metered)
        self._servers = {
            one.name: ServerConnections(one, assignment.round.users, assignment.timeout_s, meters)
            for one in assignment.endpoints
        }
        self._warmed: dict[tuple[str, str], Warmup] = {}
        self._met: set[tuple[object, ...]] = set()
        self._rows = [pl.DataFrame(schema=REQUESTS)]
        self._answers = [pl.DataFrame(schema=ANSWERS)]
        self._facts: list[SliceFacts] = []

    def run(self, on_slice: Callable[[SliceDone], None]) -> Measurement:
        """Drive all slices in turn. A server that is down gives rows that failed, never an exception.

        Garbage is collected between the slices only, so that no collection delays a request.
        """
        gc.collect()
        gc.freeze()
        gc.disable()
        begun: set[str] = set()
        ready: dict[int, Slice] = {}
        for piece in self._assignment.round.slices:
            if piece.scenario not in begun:
                begun.add(piece.scenario)
                ready |= self._prepare(piece.scenario)
            self._run_and_keep(ready[piece.index], on_slice)
        self._search(on_slice)
        servers = [slice_facts.of_server(server) for server in self._servers.values()]
        return Measurement(
            pl.concat(self._rows),
            pl.DataFrame([asdict(one) for one in self._facts], schema=SLICES),
            pl.DataFrame(servers, schema=SERVERS),
            pl.concat(self._answers),
        )

    def _prepare(self, scenario: str) -> dict[int, Slice]:
        """Warm up all servers for a scenario; its slices by index, in a trial with the sizes that this gives."""
        round_ = self._assignment.round
        slices = [piece for piece in round_.slices if piece.scenario == scenario]
        typical = {piece.contestant: piece for piece in reversed(slices)}
        for name, piece in typical.items():
            if round_.warmup_s or round_.is_trial:
                self._warmed[scenario, name] = self._warm_up(piece)
        if round_.is_trial:
            trial_rps = {name: self._warmed[scenario, name].throughput_rps for name in typical}
            slices = sized(slices, trial_rps, self._scenarios[scenario].cycle)
        return {piece.index: piece for piece in slices}

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
        """One slice: the warm-up, then the measured load between two readings of all counts and meters."""
        server, requests = self._servers[piece.contestant], self._requests[piece.scenario]
        earlier = self._warmed.pop((piece.scenario, piece.contestant), None)
        warmup = earlier or self._warm_up(piece)
        counted, opened = server.request_count() if earlier else warmup.counted, server.opened
        load = self._load(
            _measured_loop(piece, self._first(piece), requests, self._patience_ns), server, piece
        )
        counted = slice_facts.between(counted, server.request_count(), own=1)
        opened = server.opened - opened
        server.close_sockets()
        frame = requests_frame(piece.index, load.loop.rows, requests, load.loop.answers)
        self._answers.append(answers_frame(piece.index, load.loop.answers, load.loop.rows, requests))
        if _timed_out(frame):
            server.shorten_timeout()
        counts = Counts(
            warmup_ns=warmup.span_ns,
            warmup_requests=warmup.requests,
            warmup_failures=warmup.failures,
            client_requests=warmup.requests + load.loop.begun,
            server_requests=slice_facts.both(warmup.server_requests, counted),
            connections=warmup.connections + opened,
        )
        return frame, slice_facts.of_slice(piece, self._assignment.round.index, load, counts)

    def _warm_up(self, piece: Slice) -> Warmup:
        """Load that is not measured: some time before the first slice of a loop, a few requests before others.

        How often a server pauses depends on the load: what a closed loop leaves behind brings on a pause that an open
        one would not have. So a launch begins with its collector settled, and so does each open loop. A warm-up begins
        half-way round the requests, so that the measured part always begins at the same one.
        """
        server, requests = self._servers[piece.contestant], self._requests[piece.scenario]
        kind = () if piece.mode == "closed" else (piece.scenario, piece.load)
        unsettled = self._is_new(piece.contestant, piece.mode, *kind)
        unmet = self._is_new(piece.scenario, piece.contestant)
        if unmet:
            for request in prepare_setup(self._scenarios[piece.scenario], self._assignment.seed):
                server.send(request.wire)  # if they fail, the answers of the slices show it
        counted, opened = server.request_count(), server.opened
        seconds = piece.warmup_s or (self._assignment.round.warmup_s if unmet or unsettled else 0.0)
        most = None if seconds else BRIEF
        loop = ClosedLoop(
            requests,
            self._first(piece) + len(requests) // 2,
            round((seconds or GIVEN_UP_S) * 1e9),
            most,
            range(KEPT_ANSWERS),
        )
        share = collector_share(self._assignment.seed, self._assignment.round.index, piece.contestant)
        with server.settling(share) if unsettled and seconds else nullcontext():
            load = self._load(loop, server, piece)
        frame = requests_frame(piece.index, loop.rows, requests, loop.answers)
        counted_after = server.request_count()
        return Warmup(
            requests=loop.begun,
            failures=int((frame["failure"] != Failure.NONE).sum()),
            span_ns=load.last_ns - load.start_ns,
            throughput_rps=_throughput_rps(frame),
            server_requests=slice_facts.between(counted, counted_after, own=1),
            counted=counted_after,
            connections=server.opened - opened,
        )

    def _is_new(self, *what: object) -> bool:
        """Whether a server meets a scenario or a loop for the first time."""
        is_new = what not in self._met
        self._met.add(what)
        return is_new

    def _first(self, piece: Slice) -> int:
        """The number of the request that a slice begins with: where a cycle of the mix begins, drawn from its seed."""
        cycle = self._scenarios[piece.scenario].cycle
        return piece.seed % (len(self._requests[piece.scenario]) // cycle) * cycle

    @property
    def _patience_ns(self) -> int:
        return round(self._assignment.timeout_s * 1e9)

    def _load(self, loop: Loop, server: ServerConnections, piece: Slice) -> MeteredLoad:
        connections = server.connections(piece.concurrency, self._scenarios[piece.scenario].socket_path)
        if server.endpoint.keep_alive:
            self._users.each(Connection.ensure_open, connections)
        before, start_ns = server.read_meters(), monotonic_ns()
        loop.begin(start_ns)
        self._users.each(loop.drive, connections)
        return MeteredLoad(loop, start_ns, before, server.read_meters())


def _measured_loop(piece: Slice, first: int, requests: tuple[Prepared, ...], patience_ns: int) -> Loop:
    drawn = Random(piece.seed)
    if piece.rate_rps is not None:
        due_ns = _due_ns(piece, piece.rate_rps)
        return OpenLoop(
            requests,
            first,
            due_ns,
            patience_ns,
            drawn.sample(range(len(due_ns)), min(len(due_ns), KEPT_ANSWERS)),
        )
    if piece.requests is None:
        return ClosedLoop(requests, first, round(piece.duration_s * 1e9), None, range(KEPT_ANSWERS))
    longest_ns = round((GIVEN_UP * piece.duration_s + GIVEN_UP_S) * 1e9)
    kept = drawn.sample(range(piece.requests), min(piece.requests, KEPT_ANSWERS))
    return ClosedLoop(requests, first, longest_ns, piece.requests, kept)


def _due_ns(piece: Slice, rate_rps: float) -> list[int]:
    """When requests are due after the start of the slice."""
    seed = (piece.seed, 0)
    if not piece.relief_s:
        return arrivals_ns(piece.arrivals, rate_rps, piece.duration_s, seed, piece.requests)
    spans_s = (piece.duration_s, piece.relief_s)
    return surge_ns(piece.arrivals, (rate_rps, piece.relief_rps), spans_s, seed)


def _throughput_rps(frame: pl.DataFrame) -> float:
    """Answers per second in the second half of a warm-up: its first connections and pages are slow."""
    answers = frame.filter(pl.col("failure") == Failure.NONE)["end_ns"].sort()
    later = answers[answers.len() // 2 :]
    span_ns = later[-1] - later[0] if later.len() > 1 else 0
    return 1e9 * (later.len() - 1) / span_ns if span_ns else 0.0


def _timed_out(frame: pl.DataFrame) -> bool:
    return bool((frame["failure"] == Failure.TIMEOUT).any())


def _progress(piece: Slice, frame: pl.DataFrame) -> SliceDone:
    failed = int((frame["failure"] != Failure.NONE).sum())
    answered = frame.height - failed
    return SliceDone(
        piece.index, piece.scenario, piece.contestant, piece.mode, answered, failed, piece.rate_rps
    )
