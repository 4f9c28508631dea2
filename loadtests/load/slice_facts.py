"""The rows of the frames `slices` and `servers` (columns: samples.store): what was planned and measured."""

from dataclasses import asdict, dataclass
from typing import Any

from loadtests.load.loops import Loop
from loadtests.load.server_connections import Reading, ServerConnections
from loadtests.plan.rounds import Slice
from loadtests.samples.facts import SliceFacts


@dataclass(frozen=True, slots=True)
class MeteredLoad:
    """The load of a slice or of its warm-up: the loop with its rows, and what the meters read before and after."""

    loop: Loop
    start_ns: int
    before: Reading
    after: Reading

    @property
    def last_ns(self) -> int:
        """When the last answer was in; the start, where nothing was sent."""
        return max((row.end_ns for row in self.loop.rows), default=self.start_ns)

    def stop_ns(self, piece: Slice) -> int:
        """When the load was over, but for answers: the last send of a fixed number of requests, else as planned."""
        if piece.rate_rps is None and piece.requests is not None:
            return max((row.sent_ns for row in self.loop.rows), default=self.start_ns)
        return self.start_ns + round((piece.duration_s + piece.relief_s) * 1e9)


@dataclass(frozen=True, slots=True)
class Warmup:
    """The load before a slice: what was sent and failed, how long it took, and what both sides counted.

    counted: all requests of the server so far.
    """

    requests: int
    failures: int
    span_ns: int
    throughput_rps: float
    server_requests: int | None
    counted: int | None
    connections: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted over a slice and its warm-up; see SLICES."""

    warmup_ns: int
    warmup_requests: int
    warmup_failures: int
    client_requests: int
    server_requests: int | None
    connections: int


def of_slice(piece: Slice, round_index: int, load: MeteredLoad, counts: Counts) -> SliceFacts:
    """The facts of a slice, from the plan, the clocks, the meters and the counts."""
    before, after = load.before, load.after
    return SliceFacts(
        round=round_index,
        slice=piece.index,
        block=piece.block,
        scenario=piece.scenario,
        contestant=piece.contestant,
        mode=piece.mode,
        rate_rps=piece.rate_rps,
        concurrency=piece.concurrency,
        start_ns=load.start_ns,
        stop_ns=load.stop_ns(piece),
        drained_ns=load.last_ns,
        warmup_ns=counts.warmup_ns,
        warmup_requests=counts.warmup_requests,
        client_requests=counts.client_requests,
        server_requests=counts.server_requests,
        connections=counts.connections,
        server_cpu_ns=between(before.server_cpu_ns, after.server_cpu_ns),
        generator_cpu_ns=after.generator_cpu_ns - before.generator_cpu_ns,
        steal_ms=after.steal_ms - before.steal_ms,
        planned_requests=piece.requests,
        own_load=piece.load if piece.mode == "curve" else None,
        warmup_failures=counts.warmup_failures,
        **{name: between(used, getattr(after.shared, name)) for name, used in asdict(before.shared).items()},
        **_collections(before, after),
    )


def of_server(server: ServerConnections) -> dict[str, Any]:
    """The row of `servers`: memory in KiB, seconds until the first answer."""
    return {
        "contestant": server.endpoint.name,
        "pss_kib": server.tree.pss_kib(),
        "private_kib": server.tree.private_kib(),
        "start_s": server.endpoint.start_s,
        "argv": " ".join(server.endpoint.argv),
        "processes": len(server.tree.pids),
    }


def _collections(before: Reading, after: Reading) -> dict[str, int]:
    """The columns of garbage collections; none where the server can't tell."""
    if before.collections is None or after.collections is None:
        return {}
    return asdict(after.collections.since(before.collections))


def both(one: int | None, other: int | None) -> int | None:
    """Their sum; None if either is missing."""
    return None if one is None or other is None else one + other


def between(before: int | None, after: int | None, own: int = 0) -> int | None:
    """after - before, less the `own` requests of reading; None if either reading is missing."""
    return None if before is None or after is None else after - before - own
