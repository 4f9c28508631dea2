"""Trying out what no file shows: the CPU time that a busy program gets, late timers, services."""

import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from loadtests.errors import ServerError
from loadtests.machine import kernel
from loadtests.machine.meters import cpu_clock
from loadtests.machine.processes import Program, await_ready, output_of, running
from loadtests.machine.services import services

TIMER_PROBE = Path(__file__).with_name("timer_probe.py")
SPINNER = (sys.executable, "-I", "-S", "-c", "print(flush=True)\nwhile True: pass")


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


def spin(cpus: Sequence[int], seconds: float) -> Spin:
    """Keep each of the CPUs busy with a process of its own for so long."""
    with ExitStack() as stack:
        programs = [Program(f"the busy program on CPU {cpu}", SPINNER, (cpu,)) for cpu in cpus]
        children = [stack.enter_context(running(program)) for program in programs]
        await_ready({child: child.has_written for child in children})
        clocks = [cpu_clock(child.pid) for child in children]
        before, spent_ns, begun_ns = kernel.cpu_times(cpus=cpus), _read_ns(clocks), time.monotonic_ns()
        time.sleep(seconds)
        elapsed_ns, used_ns = time.monotonic_ns() - begun_ns, _read_ns(clocks)
        stolen = kernel.cpu_times(cpus=cpus).since(before).stolen_percent
    least_ns = min(after - first for after, first in zip(used_ns, spent_ns, strict=True))
    return Spin(100 * least_ns / elapsed_ns, stolen)


def timers(cpus: Sequence[int], count: int) -> Lateness:
    """How late a process that is bound to these CPUs wakes."""
    printed = output_of([sys.executable, "-I", "-S", str(TIMER_PROBE), str(count)], cpus)
    late_us = np.array(printed.split(), dtype=np.float64) / 1000
    return Lateness(float(np.quantile(late_us, 0.5)), float(np.quantile(late_us, 0.99)))


def services_error() -> str | None:
    """Starts PostgreSQL and Redis, or reaches for those that the environment names; why that fails, if it does."""
    try:
        with services():
            return None
    except (ServerError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        return str(error).strip().partition("\n")[0] or type(error).__name__


def _read_ns(clocks: Sequence[int]) -> list[int]:
    return [time.clock_gettime_ns(clock) for clock in clocks]
