"""Which other processes use the CPUs."""

import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class BusyProcess:
    """A process that uses CPU time; 100 % is one CPU."""

    name: str
    pid: int
    cpu_percent: float


@dataclass(frozen=True, slots=True)
class ProcessKey:
    """What identifies a process: ids are reused, and kernel threads change their names."""

    pid: int
    started_s: float


@dataclass(frozen=True, slots=True)
class ProcessTime:
    """A process's present name, and the CPU time that it has used so far."""

    name: str
    cpu_s: float


class BusyMeter:
    """Which processes have used the CPUs since the meter was made, without this one and its descendants."""

    def __init__(self) -> None:
        self._before = _processes()
        self._began_s = time.monotonic()

    def read(self, at_least_percent: float) -> tuple[BusyProcess, ...]:
        """The busiest first."""
        elapsed_s = time.monotonic() - self._began_s
        own = {os.getpid(), *(child.pid for child in psutil.Process().children(recursive=True))}
        return busiest(self._before, _processes(), elapsed_s, own, at_least_percent)


def busiest(
    before: Mapping[ProcessKey, ProcessTime],
    after: Mapping[ProcessKey, ProcessTime],
    elapsed_s: float,
    own: Collection[int],
    at_least_percent: float,
) -> tuple[BusyProcess, ...]:
    """The processes that used CPU time between two readings, busiest first; a later one counts from its start."""
    nothing = ProcessTime("", 0.0)
    found = (
        BusyProcess(now.name, one.pid, 100 * (now.cpu_s - before.get(one, nothing).cpu_s) / elapsed_s)
        for one, now in after.items()
        if one.pid not in own
    )
    busy = (one for one in found if one.cpu_percent >= at_least_percent)
    return tuple(sorted(busy, key=lambda one: one.cpu_percent, reverse=True))


def _processes() -> dict[ProcessKey, ProcessTime]:
    spent = {}
    for process in psutil.process_iter(["name", "cpu_times", "create_time"]):
        info = process.info
        if info["cpu_times"] is not None:
            times = info["cpu_times"]
            spent[ProcessKey(process.pid, info["create_time"])] = ProcessTime(
                info["name"] or "?", times.user + times.system
            )
    return spent
