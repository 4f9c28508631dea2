"""A frozen server: stopped for a while under load. An open loop must show every request that waited for it."""

import os
import signal
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic_ns

import numpy as np
import polars as pl

from loadtests.config.scenarios import load_scenarios
from loadtests.config.selection import CATALOG
from loadtests.load.drive import drive
from loadtests.load.protocol import SliceDone
from loadtests.plan.rounds import Mode, Round, Slice
from loadtests.samples.store import Failure, Samples
from loadtests.selftest.records import Check, as_figures
from loadtests.selftest.setting import FLOOR, Setting

RATE_RPS, USERS = 200.0, 16
SLICE_S, LEAD_S, FROZEN_S = 4.0, 1.5, 1.0
BEYOND_S = (0.1, 0.25, 0.5, 0.75)
TOLERANCE = 0.1
LIMIT = (
    f"of arrivals at rate r, r x (S - x) wait longer than x seconds while a server is frozen for S"
    f" (within {TOLERANCE:.0%} and three standard deviations), and none is lost"
)


@dataclass(frozen=True, slots=True)
class Row:
    """How many requests waited longer than `beyond_s`, open and closed loop side by side."""

    beyond_s: float
    rate_times_rest: float
    arrivals: int
    open_loop: int
    open_loop_requests: int
    closed_loop: int
    closed_loop_requests: int
    lost: int


@dataclass
class ProcessSuspender:
    """Suspends a process some time into a slice, then resumes it; `spans_ns` says when, in CLOCK_MONOTONIC."""

    pid: int
    spans_ns: dict[int, tuple[int, int]] = field(default_factory=dict)
    _threads: list[threading.Thread] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def on_slice(self, progress: SliceDone) -> None:
        """After each even slice the next one is frozen."""
        if progress.slice % 2 == 0:
            thread = threading.Thread(target=self._suspend, args=(progress.slice + 1,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _suspend(self, index: int) -> None:
        self._ended.wait(LEAD_S)
        os.kill(self.pid, signal.SIGSTOP)
        began_ns = monotonic_ns()
        self._ended.wait(FROZEN_S)
        self.spans_ns[index] = began_ns, monotonic_ns()
        os.kill(self.pid, signal.SIGCONT)

    def end(self) -> None:
        """Resume at once; every thread has ended on return."""
        self._ended.set()
        for thread in self._threads:
            thread.join()


def check(setting: Setting) -> Check:
    """An open and a closed slice, each frozen in its middle; the short ones before them mark when they begin."""
    setting.on_step("a frozen server")
    floor, store = setting.floor, setting.store("frozen")
    with setting.environment.servers([floor]) as endpoints:
        suspender = ProcessSuspender(endpoints[FLOOR].pid)
        try:
            driven = drive(
                planned(setting.seed),
                (load_scenarios(CATALOG)["ping"],),
                endpoints,
                cpus=setting.environment.load_cpus,
                seed=setting.seed,
                on_slice=suspender.on_slice,
            )
        finally:
            suspender.end()
    store.save_round(0, driven)
    return judged(rows_of(store.round(0), suspender.spans_ns))


def planned(seed: int) -> Round:
    """Short, open, short, closed."""
    short = Slice(0, 0, "ping", FLOOR, "open", 0.05, 0.02, USERS, RATE_RPS, seed)
    modes: tuple[Mode, ...] = ("open", "closed")
    long = [replace(short, duration_s=SLICE_S, mode=mode) for mode in modes]
    long[1] = replace(long[1], rate_rps=None)
    pieces = (short, long[0], short, long[1])
    return Round(0, tuple(replace(one, index=place, block=place) for place, one in enumerate(pieces)))


def rows_of(samples: Samples, spans_ns: Mapping[int, tuple[int, int]]) -> list[Row]:
    """One row for each time that a request may wait, open and closed side by side."""
    opened, closed = (samples.requests.filter(pl.col("slice") == index) for index in (1, 3))
    began_ns, ended_ns = spans_ns[1]
    frozen_s = (ended_ns - began_ns) / 1e9
    due_ns = opened["due_ns"].to_numpy()
    return [
        Row(
            beyond_s=beyond_s,
            rate_times_rest=RATE_RPS * (frozen_s - beyond_s),
            arrivals=int(np.sum((due_ns >= began_ns) & (due_ns < ended_ns - beyond_s * 1e9))),
            open_loop=_beyond(opened, "due_ns", beyond_s),
            open_loop_requests=opened.height,
            closed_loop=_beyond(closed, "sent_ns", beyond_s),
            closed_loop_requests=closed.height,
            lost=sum(int((one["failure"] != Failure.NONE).sum()) for one in (opened, closed)),
        )
        for beyond_s in BEYOND_S
    ]


def _beyond(requests: pl.DataFrame, begin: str, seconds: float) -> int:
    return int(((requests["end_ns"] - requests[begin]) > seconds * 1e9).sum())


def judged(rows: Sequence[Row]) -> Check:
    """Expected counts are Poisson: their standard deviation is their square root."""
    near = all(
        abs(one.open_loop - one.rate_times_rest)
        <= TOLERANCE * one.rate_times_rest + 3 * one.rate_times_rest**0.5
        for one in rows
    )
    exact = all(one.open_loop >= one.arrivals for one in rows)
    lost = max(one.lost for one in rows)
    half = next(one for one in rows if one.beyond_s == 0.5)
    return Check(
        name="frozen",
        title="A frozen server",
        limit=LIMIT,
        ok=near and exact and lost == 0,
        summary=(
            f"beyond 0.5 s: {half.open_loop} of {half.open_loop_requests} requests in open loop"
            f" (expected {half.rate_times_rest:.0f}), {half.closed_loop} of {half.closed_loop_requests} in"
            f" closed loop, which would hide the stall; {lost} lost"
        ),
        figures=as_figures(rows),
    )
