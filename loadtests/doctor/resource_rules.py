"""Judging memory, files, folders and services. Pure, one function per subject.

The limits are rules of thumb from running this suite on shared machines, except where a gate or a profile sets them.
"""

from loadtests.doctor.facts import SHARED_MEMORY, Facts
from loadtests.doctor.finding import Finding

# all contestants, PostgreSQL and the load need about 1 GiB
MEMORY_WARNING_MIB, MEMORY_BAD_MIB = 2048.0, 1024.0
DISK_WARNING_MIB, DISK_BAD_MIB = 2048.0, 256.0
SWAP_WARNING_MIB = 64.0
OPEN_FILES_WARNING = 1024


def memory(facts: Facts) -> Finding:
    """Whether all servers fit into what is free."""
    limit = facts.memory_limit_mib
    left = facts.memory.available_mib if limit is None else min(limit, facts.memory.available_mib)
    found = f"{left / 1024:.1f} GiB available"
    if left >= MEMORY_WARNING_MIB:
        return Finding("good", "memory", found)
    advice = "free some, or measure fewer servers at a time (--contestant): all of them run at the same time"
    return Finding("bad" if left < MEMORY_BAD_MIB else "warning", "memory", found, advice)


def swap(facts: Facts) -> Finding:
    """Whether memory was swapped out."""
    used = facts.memory.swap_used_mib
    if used < SWAP_WARNING_MIB:
        return Finding("good", "swap", "not in use")
    advice = "end the programs that need the memory, then empty the swap: sudo swapoff -a && sudo swapon -a"
    return Finding(
        "warning", "swap", f"{used / 1024:.1f} GiB in use: pages may have to be read back from disk", advice
    )


def open_files(facts: Facts) -> Finding:
    """Whether connections may run out of file descriptors."""
    if facts.open_files < 0:
        return Finding("good", "open files", "no limit")
    found = f"{facts.open_files} per process"
    if facts.open_files >= OPEN_FILES_WARNING:
        return Finding("good", "open files", found)
    return Finding("warning", "open files", found, f"raise the limit: ulimit -n {4 * OPEN_FILES_WARNING}")


def results(facts: Facts) -> Finding:
    """Whether results can be written, and for how long."""
    if facts.results_error:
        found = f"{facts.results_dir} is not writable ({facts.results_error})"
        return Finding("bad", "results", found, "choose another folder with --results-dir", stops=True)
    free = facts.disk_free_mib
    found = f"{facts.results_dir} is writable" + ("" if free is None else f", {free / 1024:.1f} GiB free")
    if free is None or free >= DISK_WARNING_MIB:
        return Finding("good", "results", found)
    advice = "make room, or choose another folder with --results-dir: an hour of samples takes about 1 GiB"
    return Finding("bad" if free < DISK_BAD_MIB else "warning", "results", found, advice)


def shared_memory(facts: Facts) -> Finding:
    """Whether gunicorn's heartbeat stays off the disk."""
    if facts.shared_memory_error is None:
        return Finding("good", "shared memory", f"{SHARED_MEMORY} is writable")
    found = (
        f"{SHARED_MEMORY} is not writable ({facts.shared_memory_error}): gunicorn's heartbeat goes to a disk"
    )
    advice = "mount a tmpfs there (docker run --shm-size 64m); otherwise gunicorn's workers wait for the disk"
    return Finding("warning", "shared memory", found, advice)


def services(facts: Facts) -> Finding:
    """Whether database and cache are available."""
    if facts.services_error is None:
        return Finding("good", "services", "PostgreSQL and Redis answer")
    advice = "fix that, or name servers of your own in DATABASE_URL and REDIS_URL"
    return Finding("bad", "services", facts.services_error, advice, stops=True)
