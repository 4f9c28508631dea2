"""What running processes use: CPU time and memory; and the time stolen by other machines."""

import time
from pathlib import Path

import psutil

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
        """Memory in KiB, shared pages counted by share; None when a process is gone or the kernel does not allow it."""
        try:
            return sum(_pss_bytes(pid) for pid in self.pids) // 1024
        except psutil.Error:
            return None


def tree_pids(pid: int) -> tuple[int, ...]:
    """The process and its descendants; only itself when it is gone."""
    try:
        return (pid, *(child.pid for child in psutil.Process(pid).children(recursive=True)))
    except psutil.NoSuchProcess:
        return (pid,)


def cpu_clock(pid: int) -> int:
    """The clock id of another process's CPU time: in nanoseconds, where psutil's cpu_times has ticks of 10 ms.

    Source: MAKE_PROCESS_CPUCLOCK of the Linux kernel with CPUCLOCK_SCHED, as clock_getcpuclockid(3) returns it.
    """
    return (~pid << 3) | 2


def steal_ms() -> float:
    """Milliseconds, over all CPUs since boot, in which the hypervisor ran something else; in steps of a tick."""
    return psutil.cpu_times().steal * 1000


def _cpu_ns(pid: int) -> int:
    state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    if state in ENDED:
        raise ProcessLookupError(pid)
    return time.clock_gettime_ns(cpu_clock(pid))


def _pss_bytes(pid: int) -> int:
    process = psutil.Process(pid)
    if process.status() == psutil.STATUS_ZOMBIE:  # it has no memory, which is not the same as 0
        raise psutil.ZombieProcess(pid)
    return int(process.memory_full_info().pss)
