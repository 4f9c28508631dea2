"""What no file shows and must be tried: the CPU time that a busy program gets, late timers, services."""

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
BUSY_LOOP = (sys.executable, "-I", "-S", "-c", "print(flush=True)\nwhile True: pass")


@dataclass(frozen=True, slots=True)
class CpuShare:
    """What busy programs got of a CPU each: the least share, and what the hypervisor took."""

    least_share_percent: float
    stolen_percent: float | None


@dataclass(frozen=True, slots=True)
class TimerDelay:
    """How much longer than a millisecond a sleep of a millisecond takes."""

    p50_us: float
    p99_us: float


def cpu_share(cpus: Sequence[int], seconds: float) -> CpuShare:
    """Keep each of the CPUs busy with a process of its own for that time."""
    with ExitStack() as stack:
        programs = [Program(f"the busy program on CPU {cpu}", BUSY_LOOP, (cpu,)) for cpu in cpus]
        children = [stack.enter_context(running(program)) for program in programs]
        await_ready({child: child.has_written for child in children})
        clocks = [cpu_clock(child.pid) for child in children]
        before, spent_ns, begun_ns = kernel.cpu_times(cpus=cpus), _read_ns(clocks), time.monotonic_ns()
        time.sleep(seconds)
        elapsed_ns, used_ns = time.monotonic_ns() - begun_ns, _read_ns(clocks)
        stolen = kernel.cpu_times(cpus=cpus).since(before).stolen_percent
    least_ns = min(after - first for after, first in zip(used_ns, spent_ns, strict=True))
    return CpuShare(100 * least_ns / elapsed_ns, stolen)


def timer_delay(cpus: Sequence[int], count: int) -> TimerDelay:
    """How late a process that is bound to these CPUs wakes."""
    printed = output_of([sys.executable, "-I", "-S", str(TIMER_PROBE), str(count)], cpus)
    late_us = np.array(printed.split(), dtype=np.float64) / 1000
    return TimerDelay(float(np.quantile(late_us, 0.5)), float(np.quantile(late_us, 0.99)))


def services_error() -> str | None:
    """Why PostgreSQL and Redis, embedded or named by the environment, cannot be used; None if they can."""
    try:
        with services():
            return None
    except (ServerError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        return str(error).strip().partition("\n")[0] or type(error).__name__


def _read_ns(clocks: Sequence[int]) -> list[int]:
    return [time.clock_gettime_ns(clock) for clock in clocks]
