"""Made-up samples of a run: what the measuring engine would have written, with chosen speeds and faults."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.random import Generator

from loadtests.plan import Claim
from loadtests.samples import REQUESTS, SERVERS, SLICES, Failure, Samples, conform
from loadtests.summary import RunInfo

MS = 1_000_000
USERS = 8


@dataclass(frozen=True)
class Server:
    """A made-up contestant: its service time decides its throughput, its CPU time a request is given."""

    service_ms: float = 4.0
    cpu_us: float = 300.0
    pss_mib: float = 80.0
    body_bytes: int = 500
    keep_alive: bool = True


@dataclass(frozen=True)
class World:
    """What is measured, and how disturbed it is. `noise` is the spread of a slice's speed."""

    servers: Mapping[str, Server]
    scenarios: tuple[str, ...] = ("ping",)
    rounds: int = 5
    closed_blocks: int = 4
    open_requests: int = 600
    slice_ms: float = 100.0
    noise: float = 0.02
    seed: int = 1
    claims: tuple[Claim, ...] = field(default=(Claim("a", "b", "a against b", headline=True),))

    def run(self) -> RunInfo:
        """The run's description to go with its samples."""
        return RunInfo(
            id="made-up",
            status="complete",
            profile="quick",
            seed=self.seed,
            started_at="2026-03-01T12:00:00+00:00",
            finished_at="2026-03-01T12:05:00+00:00",
            duration_s=300.0,
            rounds=self.rounds,
            cpus=2,
            stop_rule="stop after 5 rounds",
            machine={"CPU": "made up"},
            contestants={name: f"The server {name}" for name in self.servers},
            scenarios={name: name.title() for name in self.scenarios},
            keep_alive={name: server.keep_alive for name, server in self.servers.items()},
            claims=self.claims,
        )

    def samples(self) -> Samples:
        """The frames of all rounds."""
        rng = np.random.default_rng(self.seed)
        requests, slices = zip(*self._slices(rng), strict=True)
        servers = [
            pl.DataFrame(
                {
                    "round": number,
                    "contestant": name,
                    "pss_kib": round(server.pss_mib * 1024),
                    "start_s": 0.5,
                    "argv": "serve",
                    "processes": 2,
                }
            )
            for number in range(self.rounds)
            for name, server in self.servers.items()
        ]
        with_round = {"round": pl.Int32}
        return Samples(
            conform(pl.concat(requests, how="vertical_relaxed"), with_round | dict(REQUESTS)),
            conform(pl.concat(slices, how="vertical_relaxed"), SLICES),
            conform(pl.concat(servers), with_round | dict(SERVERS)),
        )

    def _slices(self, rng: Generator) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
        start_ns = 10**12
        for number in range(self.rounds):
            index = 0
            for scenario in self.scenarios:
                for mode, block in [*(("closed", block) for block in range(self.closed_blocks)), ("open", 0)]:
                    for name, server in self.servers.items():
                        factor = np.exp(rng.normal(0, self.noise))
                        disturbed = replace(server, service_ms=server.service_ms * factor)
                        place = _Place(number, index, block, scenario, name, mode, start_ns)
                        yield _slice(self, disturbed, place, rng)
                        index += 1
                        start_ns += 10**9


@dataclass(frozen=True)
class _Place:
    round: int
    slice: int
    block: int
    scenario: str
    contestant: str
    mode: str
    start_ns: int


def _slice(world: World, server: Server, place: _Place, rng: Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    stop_ns = place.start_ns + round(world.slice_ms * MS)
    service_ns = round(server.service_ms * MS)
    if place.mode == "closed":
        turns = np.arange(place.start_ns, stop_ns, service_ns)
        sent = np.repeat(turns, USERS)
        due = sent
        end = sent + service_ns
    else:
        due = np.sort(rng.integers(place.start_ns, stop_ns, world.open_requests))
        sent = due + 20_000
        end = sent + rng.gamma(4, service_ns / 4, len(sent)).astype(int)
    count = len(sent)
    requests = pl.DataFrame(
        {
            "round": place.round,
            "slice": place.slice,
            "due_ns": due,
            "sent_ns": sent,
            "end_ns": end,
            "status": 200,
            "bytes": server.body_bytes + 150,
            "body_bytes": server.body_bytes,
            "variant": np.arange(count) % 32,
            "failure": int(Failure.NONE),
        }
    )
    slices = pl.DataFrame(
        {
            **{
                name: getattr(place, name)
                for name in ("round", "slice", "block", "scenario", "contestant", "mode")
            },
            "rate_rps": None if place.mode == "closed" else world.open_requests / world.slice_ms * 1000,
            "concurrency": USERS if place.mode == "closed" else world.open_requests,
            "start_ns": place.start_ns,
            "stop_ns": stop_ns,
            "drained_ns": int(end.max()),
            "warmup_requests": 10,
            "client_requests": count + 10,
            "server_requests": count + 10,
            "connections": (USERS if place.slice == 0 else 0) if server.keep_alive else count + 10,
            "server_cpu_ns": round(count * server.cpu_us * 1000),
            "generator_cpu_ns": round(0.4 * world.slice_ms * MS),
            "steal_ms": 1.0,
        }
    )
    return requests, slices


def two(a: Server | None = None, b: Server | None = None, **world: object) -> World:
    """A world of two contestants, `a` and `b`, alike unless told otherwise."""
    return replace(World({"a": a or Server(), "b": b or Server()}), **world)  # type: ignore[arg-type]
