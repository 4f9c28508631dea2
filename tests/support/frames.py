"""Frames of samples as a round gives them, built request by request from what a test wants to be true of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import polars as pl

from loadtests.analysis.digest import Digest, digest
from loadtests.analysis.summary import RunInfo
from loadtests.config.profiles import Claim
from loadtests.samples.store import ANSWERS, REQUESTS, SERVERS, SLICES, Failure, Samples, conform

A, B = "flask", "fastapi"
SCENARIO = "item-read"
CPUS = 2
MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Piece:
    """One slice of a sound run; every field that a test changes makes it another run.

    Closed: `users` ask one request after the other, each takes `service_ms`. Open: a request is due every
    `gap_ms`, sent `lag_ms` later. The first `failed` requests fail with `failure`. `cpu_us` is the server's CPU
    time a request; the shares are those of the slice's time, `steal` of all CPUs. `uncounted`: how many requests
    the server has counted less than the client, None: it does not count. `pauses`, each of `pause_ms` and of as much
    CPU time, fall into the first answers of a closed slice; None: the server does not tell. `database` is what
    PostgreSQL uses, `foreign` what other programs use of the server's CPU and of the load's; None: no meter.
    `warmup`: requests and failures of the warm-up. `answers`: kept bodies, the first request's first.
    """

    contestant: str = A
    mode: str = "closed"
    scenario: str = SCENARIO
    round: int = 0
    block: int = 0
    users: int = 2
    requests: int = 20
    service_ms: float = 1.0
    gap_ms: float = 1.0
    lag_ms: float = 0.0
    failed: int = 0
    failure: Failure = Failure.STATUS
    body_bytes: int = 100
    status: int = 200
    variants: int = 4
    connections: int = 0
    uncounted: int | None = 0
    cpu_us: float | None = 100.0
    generator: float = 0.3
    steal: float = 0.0
    pauses: int | None = 0
    pause_ms: float = 50.0
    database: float | None = 0.2
    foreign: tuple[float, float] | None = (0.01, 0.01)
    warmup: tuple[int, int] = (0, 0)
    planned: int | None = None
    answers: tuple[str, ...] = ("{}",)

    @property
    def stalled_ms(self) -> float:
        """How long it paused in all."""
        return (self.pauses or 0) * self.pause_ms


def samples_of(*pieces: Piece, pss_mib: dict[str, float | None] | None = None) -> Samples:
    """The samples of a run of these slices, in this order within their rounds."""
    numbers = {round_: count() for round_ in {piece.round for piece in pieces}}
    numbered = [(next(numbers[piece.round]), piece) for piece in pieces]
    slices = pl.DataFrame([_slice(number, piece) for number, piece in numbered], _types(SLICES))
    rows = [row for number, piece in numbered for row in _rows(number, piece)]
    launched = sorted({(piece.round, piece.contestant) for piece in pieces})
    servers = [_server(round_, name, (pss_mib or {}).get(name, 50.0)) for round_, name in launched]
    return Samples(
        pl.DataFrame(rows, {"round": pl.Int32, **_types(REQUESTS)}, orient="row"),
        conform(slices, SLICES),
        conform(
            pl.DataFrame(servers, {"round": pl.Int32, **_types(SERVERS)}), {"round": pl.Int32, **SERVERS}
        ),
        pl.DataFrame(
            [row for number, piece in numbered for row in _answers(number, piece)],
            {"round": pl.Int32, **_types(ANSWERS)},
            orient="row",
        ),
    )


def digested(samples: Samples, steal_limit_percent: float = 30.0) -> Digest:
    """What reports are made of, of these samples on a machine of CPUS."""
    return digest([samples], steal_limit_percent, CPUS)


def both_loops(contestant: str = A, **changes: Any) -> tuple[Piece, Piece]:
    """A closed and an open slice of one contestant."""
    piece = Piece(contestant, **changes)
    return replace(piece, mode="closed"), replace(piece, mode="open")


def rounds_of(pieces: Sequence[Piece], rounds: int) -> list[Piece]:
    """The same slices in each of several rounds."""
    return [replace(piece, round=number) for number in range(rounds) for piece in pieces]


def run_of(
    *contestants: str,
    scenarios: tuple[str, ...] = (SCENARIO,),
    claims: tuple[Claim, ...] = (),
    **changes: Any,
) -> RunInfo:
    """What a run says of itself; by default it compares the first two contestants."""
    names = contestants or (A, B)
    run = RunInfo(
        id="20250101-120000-quick",
        status="complete",
        profile="quick",
        seed=0,
        started_at="2025-01-01T12:00:00+00:00",
        finished_at="2025-01-01T12:05:00+00:00",
        duration_s=300.0,
        cpus=CPUS,
        contestants={name: name.title() for name in names},
        scenarios={name: name.title() for name in scenarios},
        keep_alive=dict.fromkeys(names, True),
        claims=claims or (Claim(names[0], names[1], "one or the other", headline=True),),
    )
    return replace(run, **changes)


def _types(schema: Any) -> dict[str, Any]:
    return dict(schema)


def _rows(number: int, piece: Piece) -> list[tuple[int, ...]]:
    return [_row(number, piece, place) for place in range(piece.requests)]


def _row(number: int, piece: Piece, place: int) -> tuple[int, ...]:
    turn, start = place // piece.users, _start_ns(number)
    asked_ms = turn * piece.service_ms if piece.mode == "closed" else place * piece.gap_ms
    due = start + round(asked_ms * MS)
    sent = due + (round(piece.lag_ms * MS) if piece.mode == "open" else 0)
    stalled = round(piece.stalled_ms * MS) if piece.mode == "closed" else 0
    if turn > 0:
        due, sent = due + stalled, sent + stalled
    end = sent + round(piece.service_ms * MS) + (stalled if turn == 0 else 0)
    body, failure = piece.body_bytes, piece.failure if place < piece.failed else Failure.NONE
    variant = place % piece.variants
    return (piece.round, number, due, sent, end, piece.status, body + 100, body, variant, failure)


def _slice(number: int, piece: Piece) -> dict[str, Any]:
    start = _start_ns(number)
    drained = max((row[4] for row in _rows(number, piece)), default=start + MS)
    stalled_ns = None if piece.pauses is None else round(piece.stalled_ms * MS)
    counted = None if piece.uncounted is None else piece.requests + piece.warmup[0] - piece.uncounted
    return {
        "round": piece.round,
        "slice": number,
        "block": piece.block,
        "scenario": piece.scenario,
        "contestant": piece.contestant,
        "mode": piece.mode,
        "rate_rps": None if piece.mode == "closed" else 1000 / piece.gap_ms,
        "concurrency": piece.users,
        "start_ns": start,
        "stop_ns": drained,
        "drained_ns": drained,
        "warmup_ns": 20 * MS,
        "warmup_requests": piece.warmup[0],
        "warmup_failures": piece.warmup[1],
        "planned_requests": piece.planned,
        "client_requests": piece.requests + piece.warmup[0],
        "server_requests": counted,
        "connections": piece.connections,
        "server_cpu_ns": None if piece.cpu_us is None else _cpu_ns(piece),
        "generator_cpu_ns": round(piece.generator * (drained - start)),
        "steal_ms": piece.steal * CPUS * (drained - start) / MS,
        "gen2_count": piece.pauses,
        "gen2_ns": stalled_ns,
        "gen2_cpu_ns": stalled_ns,
        "gen2_longest_ns": None if not piece.pauses else round(piece.pause_ms * MS),
        **_meters(piece, drained - start),
    }


def _cpu_ns(piece: Piece) -> int:
    return round((piece.cpu_us or 0) * 1000 * piece.requests + piece.stalled_ms * MS)


def _meters(piece: Piece, span_ns: int) -> dict[str, int | None]:
    """What services and both CPU sets used: the server has one CPU, load generator and services the other."""
    own_ns = _cpu_ns(piece)
    services = None if piece.database is None else round(piece.database * span_ns)
    on_server, on_load = (None, None) if piece.foreign is None else piece.foreign
    load = piece.generator + (piece.database or 0.0)
    return {
        "database_cpu_ns": services,
        "redis_cpu_ns": 0,
        "partner_cpu_ns": 0,
        "server_cpus_busy_ns": None if on_server is None else own_ns + round(on_server * span_ns),
        "load_cpus_busy_ns": None if on_load is None else round((load + on_load) * span_ns),
    }


def _answers(number: int, piece: Piece) -> list[tuple[object, ...]]:
    return [
        (piece.round, number, place, place, piece.status, True, body, body)
        for place, body in enumerate(piece.answers)
    ]


def _server(round_: int, contestant: str, pss_mib: float | None) -> dict[str, Any]:
    return {
        "round": round_,
        "contestant": contestant,
        "pss_kib": None if pss_mib is None else round(1024 * pss_mib),
        "start_s": 0.5,
        "argv": "serve",
        "processes": 1,
    }


def _start_ns(number: int) -> int:
    return (number + 1) * 10_000 * MS
