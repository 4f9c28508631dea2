"""Trying out what no file tells: stolen time under load, late timers, busy processes, services, a writable folder."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from loadtests.machine import kernel
from loadtests.machine.launch import launch_argv
from loadtests.machine.meters import cpu_clock
from loadtests.machine.services import ServiceError, services

TIMER_PROBE = Path(__file__).with_name("timer_probe.py")
SPINNER = "print(flush=True)\nwhile True: pass"


@dataclass(frozen=True, slots=True)
class Spin:
    """What programs got that wanted a whole CPU each: the least of them, and what the hypervisor took."""

    least_share_percent: float
    stolen_percent: float | None


@dataclass(frozen=True, slots=True)
class Lateness:
    """How much longer than asked for a sleep of a millisecond takes."""

    p50_us: float
    p99_us: float


@dataclass(frozen=True, slots=True)
class Busy:
    """A process that is at work; 100 % is one CPU."""

    name: str
    pid: int
    cpu_percent: float


@dataclass(frozen=True, slots=True)
class Process:
    """One process for sure: ids come again, and kernel threads change their names."""

    pid: int
    started_s: float


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process is called now, and the CPU time that it has used so far."""

    name: str
    cpu_s: float


def spin(cpus: Sequence[int], seconds: float) -> Spin:
    """Keep each of the CPUs busy with a process of its own for so long."""
    with ExitStack() as stack:
        pids = [stack.enter_context(_spinner(cpu)) for cpu in cpus]
        clocks = [cpu_clock(pid) for pid in pids]
        before, spent_ns, begun_ns = kernel.cpu_times(cpus=cpus), _read_ns(clocks), time.monotonic_ns()
        time.sleep(seconds)
        elapsed_ns, used_ns = time.monotonic_ns() - begun_ns, _read_ns(clocks)
        stolen = kernel.cpu_times(cpus=cpus).since(before).stolen_percent
    least_ns = min(after - first for after, first in zip(used_ns, spent_ns, strict=True))
    return Spin(100 * least_ns / elapsed_ns, stolen)


def timers(cpus: Sequence[int], count: int) -> Lateness:
    """How late a process that is bound to these CPUs wakes."""
    argv = launch_argv([sys.executable, "-I", "-S", str(TIMER_PROBE), str(count)], cpus)
    ended = subprocess.run(argv, capture_output=True, text=True, check=True)
    late_us = np.array(ended.stdout.split(), dtype=np.float64) / 1000
    return Lateness(float(np.quantile(late_us, 0.5)), float(np.quantile(late_us, 0.99)))


class BusyMeter:
    """Who used the CPUs since the meter was made, this process and its descendants not counted."""

    def __init__(self) -> None:
        self._before = _processes()
        self._began_s = time.monotonic()

    def read(self, at_least_percent: float) -> tuple[Busy, ...]:
        """The busiest first."""
        elapsed_s = time.monotonic() - self._began_s
        own = {os.getpid(), *(child.pid for child in psutil.Process().children(recursive=True))}
        return busiest(self._before, _processes(), elapsed_s, own, at_least_percent)


def busiest(
    before: Mapping[Process, Spent],
    after: Mapping[Process, Spent],
    elapsed_s: float,
    own: Collection[int],
    at_least_percent: float,
) -> tuple[Busy, ...]:
    """Who used CPU time between two readings, most first; a process that came later counts from its start."""
    nothing = Spent("", 0.0)
    found = (
        Busy(now.name, one.pid, 100 * (now.cpu_s - before.get(one, nothing).cpu_s) / elapsed_s)
        for one, now in after.items()
        if one.pid not in own
    )
    busy = (one for one in found if one.cpu_percent >= at_least_percent)
    return tuple(sorted(busy, key=lambda one: one.cpu_percent, reverse=True))


def services_error() -> str | None:
    """Starts PostgreSQL and Redis, or reaches for those that the environment names; why that fails, if it does."""
    try:
        with services():
            return None
    except (ServiceError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        return str(error).strip().partition("\n")[0] or type(error).__name__


def folder_error(folder: Path) -> str | None:
    """Why no file can be made in the folder, or where it would be made; None when one can. Nothing stays behind."""
    try:
        tempfile.TemporaryFile(dir=nearest(folder)).close()
    except OSError as error:
        return error.strerror or str(error)
    return None


def disk_free_mib(folder: Path) -> float | None:
    """What the disk below the folder, or below where it would be made, still holds."""
    with suppress(OSError):
        return shutil.disk_usage(nearest(folder)).free / kernel.MIB
    return None


def nearest(folder: Path) -> Path:
    """The folder itself, or the closest above it that exists."""
    return next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())


@contextmanager
def _spinner(cpu: int) -> Iterator[int]:
    """The id of a process that keeps the CPU busy while the block lasts."""
    argv = launch_argv([sys.executable, "-I", "-S", "-c", SPINNER], [cpu])
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is not None:
                process.stdout.readline()
            yield process.pid
        finally:
            process.kill()


def _read_ns(clocks: Sequence[int]) -> list[int]:
    return [time.clock_gettime_ns(clock) for clock in clocks]


def _processes() -> dict[Process, Spent]:
    spent = {}
    for process in psutil.process_iter(["name", "cpu_times", "create_time"]):
        told = process.info
        if told["cpu_times"] is not None:
            times = told["cpu_times"]
            spent[Process(process.pid, told["create_time"])] = Spent(
                told["name"] or "?", times.user + times.system
            )
    return spent
