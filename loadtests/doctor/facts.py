"""The facts that decide how well this machine measures, gathered in a few seconds."""

import os
import resource
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import psutil

from loadtests.doctor import folders, probes
from loadtests.doctor.busy import BusyMeter, BusyProcess
from loadtests.doctor.probes import CpuShare, TimerDelay
from loadtests.machine import cgroups, kernel
from loadtests.machine.cpus import CpuSets, own_cpu_sets

BUSY_S = 3.0
SLEEPS = 1500
BUSY_PERCENT = 3.0
MOST_BUSY = 4  # CPUs of each kind that are kept busy: the others would show the same
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108


@dataclass(frozen=True, slots=True)
class Memory:
    """In MiB, of the whole machine."""

    available_mib: float
    swap_used_mib: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found. None: not known; of an error: there was none.

    shared_cores: CPUs of one physical core of which some serve and some load. governors: empty when none is exposed.
    open_files: the soft limit, -1 without one.
    """

    cpus: tuple[int, ...]
    cpu_sets: CpuSets
    shared_cores: tuple[tuple[int, ...], ...]
    governors: tuple[str, ...]
    cpu_limit: float | None
    memory_limit_mib: float | None
    memory: Memory
    open_files: int
    load_average: float
    busy: tuple[BusyProcess, ...]
    cpu_share: CpuShare
    timer_delay: TimerDelay
    on_battery: bool
    results_dir: str
    results_error: str | None
    disk_free_mib: float | None
    shared_memory_error: str | None
    services_error: str | None


def gather(
    results_dir: Path, *, root: Path = kernel.ROOT, busy_s: float = BUSY_S, sleeps: int = SLEEPS
) -> Facts:
    """Read the kernel's files below `root`, and measure the rest on this machine."""
    cpus = tuple(sorted(os.sched_getaffinity(0)))
    sets = own_cpu_sets(root)
    limits, load_average = cgroups.limits(root), os.getloadavg()[0]
    meter = BusyMeter()
    timer_delay = probes.timer_delay(sets.load, sleeps)
    return Facts(
        cpus=cpus,
        cpu_sets=sets,
        shared_cores=shared_cores(kernel.cores(root, cpus), sets.servers),
        governors=kernel.governors(root, cpus),
        cpu_limit=limits.cpus,
        memory_limit_mib=limits.memory_mib,
        memory=memory(),
        open_files=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        load_average=load_average,
        busy=meter.read(BUSY_PERCENT),
        timer_delay=timer_delay,
        cpu_share=probes.cpu_share(sets.servers[:MOST_BUSY] + sets.load[:MOST_BUSY] or cpus, busy_s),
        on_battery=kernel.on_battery(root),
        results_dir=str(results_dir),
        results_error=folders.folder_error(results_dir),
        disk_free_mib=folders.disk_free_mib(results_dir),
        shared_memory_error=folders.folder_error(SHARED_MEMORY)
        if SHARED_MEMORY.exists()
        else "it does not exist",
        services_error=probes.services_error(),
    )


def memory() -> Memory:
    """The memory that is available, and how much is swapped out."""
    return Memory(psutil.virtual_memory().available / kernel.MIB, psutil.swap_memory().used / kernel.MIB)


def shared_cores(
    cores: Collection[tuple[int, ...]], server_cpus: Collection[int]
) -> tuple[tuple[int, ...], ...]:
    """The physical cores of which some CPUs serve and others load."""
    return tuple(core for core in cores if 0 < len({*core} & {*server_cpus}) < len(core))
