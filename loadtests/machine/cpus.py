"""Which CPUs serve and which load, and binding processes to them."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from loadtests.machine import kernel
from loadtests.machine.meters import tree_pids


@dataclass(frozen=True, slots=True)
class CpuSets:
    """The CPUs of the servers, of the load generator, and of PostgreSQL, Redis and the partner service.

    All are empty where there is one CPU for everything. `load` and `services` are the same where there are too few.
    """

    servers: tuple[int, ...] = ()
    load: tuple[int, ...] = ()
    services: tuple[int, ...] = ()


def cpu_sets(cores: Sequence[tuple[int, ...]]) -> CpuSets:
    """Half of the cores for the servers; of the others one for the load generator and the rest for the services.

    cores: CPUs, grouped by the physical core that they are threads of. Two threads of a core slow each other down, so
    servers share none with the load as long as there are two. With two, generator and services share the second, each
    on a thread of its own where it has two.
    """
    if len(cores) < 2:  # of one core, each thread counts as a core
        cores = [(cpu,) for core in cores for cpu in core]
    if len(cores) < 2:
        return CpuSets()
    ordered = sorted(cores)
    half = len(ordered) // 2
    servers, others = ordered[:half], ordered[half:]
    if len(others) == 1:
        others = [(cpu,) for cpu in others[0]]
    return CpuSets(_flat(servers), _flat(others[:1]), _flat(others[1:] or others))


def own_cpu_sets(root: Path = kernel.ROOT) -> CpuSets:
    """The sets for the CPUs that this process may use."""
    return cpu_sets(kernel.cores(root, sorted(os.sched_getaffinity(0))))


def _flat(cores: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(sorted(cpu for core in cores for cpu in core))


def pin(pid: int, cpus: Sequence[int]) -> None:
    """Bind every thread of the process and of its descendants to the CPUs; what they start later inherits it.

    psutil's cpu_affinity binds a process's first thread alone.
    """
    for one in tree_pids(pid):
        for thread in Path(f"/proc/{one}/task").iterdir():
            with suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), cpus)
