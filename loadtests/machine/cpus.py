"""Which CPUs serve and which load, and binding processes to them."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from loadtests.machine.meters import tree_pids


def cpu_sets(available: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The CPUs of the servers and those of the load: disjoint halves, or both empty on a single CPU."""
    cpus = tuple(sorted(available))
    if len(cpus) < 2:
        return (), ()
    half = len(cpus) // 2
    return cpus[:half], cpus[half:]


def pin(pid: int, cpus: Sequence[int]) -> None:
    """Bind every thread of the process and of its descendants to the CPUs; what they start later inherits it.

    psutil's cpu_affinity binds a process's first thread alone.
    """
    for one in tree_pids(pid):
        for thread in Path(f"/proc/{one}/task").iterdir():
            with suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), cpus)
