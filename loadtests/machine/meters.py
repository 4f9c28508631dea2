"""What running processes use: CPU time and memory; what all of them use of some CPUs; and the time stolen by others."""

import os
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import psutil

from loadtests.machine import kernel

ENDED = frozenset("ZX")  # states of a process that has ended, reaped or not
TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
CHILDREN_TIME = slice(13, 15)  # user and system time of ended children, behind the state in /proc/PID/stat


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
        return self._memory_kib(("Pss",))

    def private_kib(self) -> int | None:
        """Memory in KiB that nobody else shares: Pss_Anon and Pss_Shmem, None as above, or from a kernel without them.

        Pages of files (the interpreter, its libraries) are left out: their share depends on how many other processes
        happen to map them. Anonymous pages are shared after a fork only, hence within the tree, where shares add up.
        """
        return self._memory_kib(("Pss_Anon", "Pss_Shmem"))

    def _memory_kib(self, names: Collection[str]) -> int | None:
        try:
            return sum(_memory_kib(pid, names) for pid in self.pids)
        except (OSError, KeyError):  # what a process that has ended leaves unread is not 0
            return None


@dataclass(frozen=True, slots=True)
class Metered:
    """What is read beside a server: processes that were started for all servers, and the CPUs of servers and load.

    None is a process that isn't ours to read, or isn't there; without CPUs, theirs is not read either.
    """

    database_pid: int | None = None
    redis_pid: int | None = None
    partner_pid: int | None = None
    server_cpus: tuple[int, ...] = ()
    load_cpus: tuple[int, ...] = ()


NOTHING_METERED = Metered()


@dataclass(frozen=True, slots=True)
class SharedReading:
    """What has been used so far: by services, and by all processes on the CPUs of the servers and of the load.

    None: not read. Differences between two readings mean something, a reading alone does not.
    """

    database_cpu_ns: int | None = None
    redis_cpu_ns: int | None = None
    partner_cpu_ns: int | None = None
    server_cpus_busy_ns: int | None = None
    load_cpus_busy_ns: int | None = None


class SharedMeters:
    """The meters that are the same whichever server is under load."""

    def __init__(self, metered: Metered) -> None:
        self._services = (
            metered.database_pid and ServiceMeter(metered.database_pid),
            metered.redis_pid and ProcessTree(metered.redis_pid),
            metered.partner_pid and ProcessTree(metered.partner_pid),
        )
        self._cpus = metered.server_cpus, metered.load_cpus

    def read(self) -> SharedReading:
        """All of them now."""
        used_ns = [one.cpu_ns() if one else None for one in self._services]
        return SharedReading(*used_ns, *busy_ns(*self._cpus))


class ServiceMeter:
    """The CPU time of a process and of its children, which come and go, as PostgreSQL's do.

    Cheap enough to be read around every slice: of each process that appears, the parent is looked up once.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._seen: set[int] = set()
        self._children: set[int] = set()

    def cpu_ns(self) -> int | None:
        """User and system time so far, those children included that have ended; None when the process is gone.

        Of ended children the kernel tells whole ticks of 10 ms.
        """
        present = {*psutil.pids()}
        new = present - self._seen
        self._children = self._children & present | {pid for pid in new if _parent(pid) == self._pid}
        self._seen = present
        try:
            ended_ns = TICK_NS * sum(map(int, _stat(self._pid)[CHILDREN_TIME]))
            return ended_ns + _cpu_ns(self._pid) + sum(map(_cpu_ns_if_there, self._children))
        except OSError:
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


def busy_ns(*sets: Collection[int]) -> tuple[int | None, ...]:
    """For each set of CPUs, how long they have been busy: a running count, of which differences mean something.

    It is the time less what was idle, awaited a disk or was stolen. Linux measures idle time exactly, though it shows
    it in ticks of 10 ms; busy time it may only sample. None for an empty set.
    """
    now_ns, ticks = time.monotonic_ns(), kernel.ticks_not_busy()
    return tuple(
        sum(now_ns - TICK_NS * ticks[cpu] for cpu in cpus) if cpus and {*cpus} <= ticks.keys() else None
        for cpus in sets
    )


def _stat(pid: int) -> list[str]:
    """The words of /proc/PID/stat from the state on; see proc_pid_stat(5)."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def _parent(pid: int) -> int | None:
    try:
        return int(_stat(pid)[1])
    except OSError:
        return None


def _cpu_ns(pid: int) -> int:
    if _stat(pid)[0] in ENDED:
        raise ProcessLookupError(pid)
    return time.clock_gettime_ns(cpu_clock(pid))


def _cpu_ns_if_there(pid: int) -> int:
    try:
        return time.clock_gettime_ns(cpu_clock(pid))
    except OSError:
        return 0


def _memory_kib(pid: int, names: Collection[str]) -> int:
    """The sum of some lines of /proc/PID/smaps_rollup; KeyError: one is missing."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()[1:]
    sizes = {name: int(size.split()[0]) for name, _, size in (line.partition(":") for line in lines)}
    return sum(sizes[name] for name in names)
