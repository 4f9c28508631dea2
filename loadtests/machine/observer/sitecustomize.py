"""Counts and times the garbage collections of a Python process that finds this file as its `sitecustomize`.

The harness puts this folder in front of PYTHONPATH for every server that it launches, so it works for any app. Such an
app may know neither `shared` nor `loadtests`: this file uses the standard library alone, and repeats what it needs of
shared/ops/count_file.py, which says what is written. Without REQUEST_COUNT_FILE, or where it cannot write, it does
nothing.
"""

import gc
import os
import sys
from _thread import start_new_thread  # the real one, whatever a server patches later
from array import array
from mmap import mmap
from time import perf_counter_ns, sleep, thread_time_ns

SLOT_BYTES = 128
COLLECTIONS, INCOMPLETE_COLLECTIONS = 2, 3
VALUES, CPU_NS, LONGEST_NS, ASKED, SETTLING = 2, 8, 9, 10, 11  # places in a slot
WHOLE = 1 << 32  # what is asked for is a fraction of this
INCREMENTAL = sys.version_info >= (3, 14)  # collections by small steps, without pauses


def observe(file: str) -> None:
    """Count from now on, in this process and in those that it forks."""
    slot = new_slot(file)
    began_ns = cpu_began_ns = 0

    def on_collection(phase: str, info: "dict[str, int]") -> None:
        """Called around each collection; those of a process never overlap, whatever its threads."""
        nonlocal began_ns, cpu_began_ns
        generation = info["generation"]
        if phase == "start":
            began_ns = perf_counter_ns()
            if generation == 2:
                cpu_began_ns = thread_time_ns()
            return
        if generation == 2:
            slot[CPU_NS] += thread_time_ns() - cpu_began_ns
        took_ns = perf_counter_ns() - began_ns
        at = VALUES + 2 * generation
        slot[at] += 1
        slot[at + 1] += took_ns
        if generation == 2 and took_ns > slot[LONGEST_NS]:
            slot[LONGEST_NS] = took_ns
        if slot[ASKED] and not slot[SETTLING] % 2:
            share, slot[ASKED] = slot[ASKED] / WHOLE, 0
            slot[SETTLING] += 1
            start_new_thread(settle, (share, slot))  # no collection can begin within this call

    def go_on_in_child() -> None:
        nonlocal slot
        if fresh := new_slot(file):
            slot = fresh
        else:
            slot[0] = INCOMPLETE_COLLECTIONS
            gc.callbacks.remove(on_collection)

    if slot:
        gc.callbacks.append(on_collection)
        os.register_at_fork(after_in_child=go_on_in_child)


def settle(share: float, slot: "memoryview[int]") -> None:
    """Bring the collector to where it is in the long run: a full collection lies behind, and a share of the way to the
    next one.

    A process starts with much that no full collection has seen, so its first one comes far too early; and processes
    that are all at the same point of the way would pause in the same scenario. CPython collects fully when two things
    have happened (gc_collect_generations in gcmodule.c, gc.c since 3.13; the same in 3.11 to 3.13): generation 1 was
    collected more often than the third threshold says, and what that added exceeds a quarter of what the last full
    collection left (long_lived_pending). So that share of a quarter is added, and dropped again, and generation 1
    collected for that share of the times; whichever of the two a process waits for in the end, it is on its way.
    """
    fulls_at = VALUES + 2 * 2
    fulls = slot[fulls_at]
    try:
        gc.collect()
        while slot[fulls_at] == fulls:  # it does nothing while a collection of another thread calls back
            sleep(0.001)
            gc.collect()
        if not INCREMENTAL:
            held: list[list[None]] = [[] for _ in range(int(share * len(gc.get_objects()) / 4))]
            gc.collect(1)
            while gc.get_count()[2] < round(share * (gc.get_threshold()[2] + 1)):
                gc.collect(1)
            held.clear()
    finally:
        slot[SETTLING] += 1


def new_slot(file: str) -> "memoryview[int]":
    """All numbers of a slot appended to the file, mapped into memory; none of them where that fails."""
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_APPEND)
    except OSError:
        return memoryview(b"")
    try:
        os.write(descriptor, array("Q", (COLLECTIONS, os.getpid())).tobytes().ljust(SLOT_BYTES, b"\0"))
        end = os.lseek(descriptor, 0, os.SEEK_CUR)
        return memoryview(mmap(descriptor, end)).cast("Q")[(end - SLOT_BYTES) // 8 :]
    finally:
        os.close(descriptor)


def give_way() -> None:
    """Take this folder from the path, and import the `sitecustomize` that it hid, if there is one."""
    folder = __file__.rpartition(os.sep)[0]
    sys.path[:] = [one for one in sys.path if one != folder]
    own = sys.modules.pop(__name__)
    try:
        __import__(__name__)
    except ModuleNotFoundError as error:
        if error.name != __name__:
            raise
    finally:
        sys.modules.setdefault(__name__, own)


if __name__ == "sitecustomize":
    if count_file := os.environ.get("REQUEST_COUNT_FILE"):
        observe(count_file)
    give_way()
