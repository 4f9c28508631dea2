"""What the kernel knows about running processes: CPU time, memory, and time stolen by other machines."""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

STEAL_COLUMN = 8  # of the line `cpu` in /proc/stat, see proc_stat(5)
ENDED = frozenset("ZX")  # states of a process that has ended, reaped or not


class ProcessTree:
    """A process and all its descendants, as they are when the tree is made."""

    def __init__(self, pid: int) -> None:
        self.pids = tree_pids(pid)

    def cpu_ns(self) -> int | None:
        """User and system time so far, in nanoseconds, all threads; None when a process of the tree is gone."""
        try:
            return sum(_cpu_ns(pid) for pid in self.pids)
        except OSError:
            return None

    def pss_kib(self) -> int | None:
        """Memory in KiB, shared pages counted by share; None when a process is gone or the kernel won't tell."""
        try:
            return sum(_pss_kib(pid) for pid in self.pids)
        except OSError:
            return None


def tree_pids(pid: int) -> tuple[int, ...]:
    """The process and its descendants; only itself when it is gone."""
    try:
        return (pid, *(child.pid for child in psutil.Process(pid).children(recursive=True)))
    except psutil.NoSuchProcess:
        return (pid,)


def pin(pid: int, cpus: Sequence[int]) -> None:
    """Bind every thread of the process and of its descendants to the CPUs; what they start later inherits it."""
    for one in tree_pids(pid):
        for thread in Path(f"/proc/{one}/task").iterdir():
            with suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), cpus)


def cpu_clock(pid: int) -> int:
    """The clock id of another process's CPU time, in nanoseconds where /proc/PID/stat has ticks.

    Source: MAKE_PROCESS_CPUCLOCK of the Linux kernel with CPUCLOCK_SCHED, as clock_getcpuclockid(3) returns it.
    """
    return (~pid << 3) | 2


def steal_ms() -> float:
    """Milliseconds, over all CPUs since boot, in which the hypervisor ran something else; in steps of a tick."""
    with Path("/proc/stat").open(encoding="ascii") as lines:
        ticks = int(lines.readline().split()[STEAL_COLUMN])
    return ticks * 1000 / os.sysconf("SC_CLK_TCK")


def _cpu_ns(pid: int) -> int:
    state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    if state in ENDED:
        raise ProcessLookupError(pid)
    return time.clock_gettime_ns(cpu_clock(pid))


def _pss_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise ProcessLookupError(pid)
