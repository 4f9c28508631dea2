"""Injected pauses: servers that collect garbage at a known distance, among objects of a known number.

Each server stamps its requests, its pauses and its CPU time. What the suite finds in its slices is held against that:
the parts of a request's cost, how often it pauses and for how long. Next to each server runs a copy that has the same
objects but never pauses; free of pauses, both cost the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from loadtests.analysis.digest import Digest, merge
from loadtests.analysis.estimators import figure, measured_in
from loadtests.config.metrics import METRICS
from loadtests.machine.servers import Endpoint
from loadtests.plan.sizes import Sizes
from loadtests.reference.collector import STAMPS
from loadtests.runs.paired_study import CPU, PING, closed_plan, rounds
from loadtests.selftest.records import Check, as_figures
from loadtests.selftest.setting import Setting, pausing
from loadtests.selftest.stamps import StampLog, read_json

NAME = "pauses"
EVERY, OBJECTS = 620, 100_000
REQUESTS, BLOCKS, ROUNDS = 400, 52, 4
"""Between two slices a server answers another 20 requests: a warm-up, and what it is asked for its counts. With these
sizes such gaps get their share of the pauses to 2 %, wherever the first one falls."""
LIMIT_PERCENT = 5.0
PAUSE, BETWEEN, LONGEST = "pause_us_per_request", "requests_between_pauses", "longest_pause_ms"
PAUSE_FREE = "pause_free_cpu_us_per_request"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a server has counted so far.

    cpu_ns: CPU time of its pauses; process_cpu_ns: of all it did. pauses: when each began, in CLOCK_MONOTONIC, and how
    long it took.
    """

    requests: int
    cpu_ns: int
    process_cpu_ns: int
    pauses: tuple[tuple[int, int], ...]

    def since(self, before: "Stamp") -> "Stamp":
        """The difference."""
        return Stamp(
            self.requests - before.requests,
            self.cpu_ns - before.cpu_ns,
            self.process_cpu_ns - before.process_cpu_ns,
            self.pauses[len(before.pauses) :],
        )


StampedRounds = Sequence[Mapping[str, Stamp]]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one server: what is true of it, what was found, and how far that is off."""

    contestant: str
    figure: str
    unit: str
    true: float
    found: float | None
    off_percent: float | None


def check(setting: Setting) -> Check:
    """ROUNDS launches of both headline contestants and of their copies."""
    names = {one.name: copy_name(one.name) for one in setting.headliners}
    servers = [
        server
        for one in setting.headliners
        for server in (pausing(one, one.name, EVERY, OBJECTS), pausing(one, copy_name(one.name), 0, OBJECTS))
    ]
    plan, store, stamp_log = (
        closed_plan(servers, BLOCKS, setting.seed),
        setting.store(NAME),
        StampLog(read_stamp),
    )
    sizes = Sizes(requests={PING: REQUESTS})
    parts: list[Digest] = []
    for digest in rounds(setting.environment, plan, servers, ROUNDS, store, stamp_log.read, sizes=sizes):
        parts.append(digest)
        setting.on_step(f"injected pauses, round {len(parts)} of {ROUNDS}")
    return judged(rows_of(merge(parts), stamp_log.rounds, names, EVERY))


def copy_name(name: str) -> str:
    """The copy that never pauses."""
    return f"{name}-without"


def read_stamp(endpoint: Endpoint) -> Stamp:
    """A collecting server's stamp."""
    found = read_json(endpoint, STAMPS)
    pauses = tuple((began_ns, took_ns) for began_ns, took_ns in found["pauses"])
    return Stamp(found["requests"], found["cpu_ns"], found["process_cpu_ns"], pauses)


def rows_of(digest: Digest, stamped: StampedRounds, copies: Mapping[str, str], every: int) -> list[Row]:
    """Five rows per server; copies: a server's name -> that of its copy without pauses. every: see the collector."""
    return [row for name, copy in copies.items() for row in _rows(digest, stamped, name, copy, every)]


def _rows(digest: Digest, stamped: StampedRounds, name: str, copy: str, every: int) -> list[Row]:
    true = long_run([round_[name] for round_ in stamped], every)
    true[LONGEST] = longest_ms(digest, stamped, name)
    measured = measured_in(digest)
    found = {metric: figure(measured, PING, metric, (name,)).value for metric in (*true, PAUSE_FREE)}
    without = figure(measured, PING, CPU, (copy,)).value or 0.0
    return [
        *(_row(name, METRICS[metric].title, metric, value, found[metric]) for metric, value in true.items()),
        _row(name, f"{METRICS[PAUSE_FREE].title}, against a copy", PAUSE_FREE, without, found[PAUSE_FREE]),
    ]


def long_run(stamps: Sequence[Stamp], every: int) -> dict[str, float]:
    """What these launches would tell if they went on for ever: metric -> figure."""
    requests, pauses = sum(one.requests for one in stamps), sum(len(one.pauses) for one in stamps)
    pause_ns = sum(one.cpu_ns for one in stamps)
    clean_us = (sum(one.process_cpu_ns for one in stamps) - pause_ns) / 1000 / requests
    pause_us = pause_ns / 1000 / max(1, pauses) / every
    return {PAUSE: pause_us, BETWEEN: float(every), CPU: clean_us + pause_us}


def _row(name: str, title: str, metric: str, true: float, found: float | None) -> Row:
    off = None if found is None or not true else 100 * (found / true - 1)
    return Row(name, title, METRICS[metric].unit, true, found, off)


def longest_ms(digest: Digest, stamped: StampedRounds, name: str) -> float:
    """The longest stamped pause of those that began in a slice: others, in warm-ups, are not measured."""
    slices = digest.slices.filter(pl.col("contestant") == name)
    spans = {
        number: slices.filter(pl.col("round") == number).select("start_ns", "drained_ns").rows()
        for number in range(len(stamped))
    }
    return max(
        (
            took_ns / 1e6
            for number, round_ in enumerate(stamped)
            for began_ns, took_ns in round_[name].pauses
            if any(start_ns <= began_ns <= drained_ns for start_ns, drained_ns in spans[number])
        ),
        default=0.0,
    )


def judged(rows: Sequence[Row]) -> Check:
    """All figures within the limit."""
    off = [one.off_percent for one in rows]
    known = [abs(one) for one in off if one is not None]
    worst = max(rows, key=lambda one: abs(one.off_percent or 0.0), default=None)
    missing = f"; {len(off) - len(known)} not found" if len(known) < len(off) else ""
    return Check(
        name=NAME,
        title="Injected pauses",
        limit=f"a full garbage collection every {EVERY} requests: its time per request, the requests between two, the"
        f" longest, the mean cost, and the cost without them, each found within {LIMIT_PERCENT:g} %",
        ok=len(known) == len(off) and max(known) <= LIMIT_PERCENT if off else None,
        summary=f"off by {max(known):.1f} % at most ({worst.figure} of {worst.contestant}){missing}"
        if worst and known
        else "nothing was found",
        figures=as_figures(rows),
    )
