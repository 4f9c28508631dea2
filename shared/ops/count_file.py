"""The file in memory that all processes of a server count in, so that their counts can be added up from outside.

A row of slots, each of 16 unsigned 64-bit numbers in the machine's byte order: the slot's kind, the id of the process
that appended it and alone writes to it, and its values. A slot outlives its process.

| kind | who | values |
| --- | --- | --- |
| 1 | every worker of the shop | requests begun |
| 2 | every Python process (`loadtests/machine/observer`) | garbage collections: see below |
| 3 | the same | the same; but a child that it forked could not append a slot, so the sum lacks something |

Of kind 2: count and wall time of generations 0, 1 and 2; of generation 2 also the CPU time of the thread that
collected, and the wall time of the longest, set to 0 by whoever reads it. Times are in nanoseconds. Then two numbers by
which the load process has the collector brought into its long-run state: what it asks for (0: nothing), and how many
times the process has begun and ended doing it (an odd number: it is at it).
Slots of other kinds are passed over.
"""

import os
from array import array
from collections.abc import Iterator
from mmap import mmap
from pathlib import Path

SLOT_BYTES = 128  # two cache lines: processes on two CPUs don't wait for each other's count
REQUESTS, COLLECTIONS, INCOMPLETE_COLLECTIONS = 1, 2, 3
VALUES = 2  # how many numbers stand before the values


def new_slot(file: str, kind: int) -> "memoryview[int]":
    """The values of a new slot at the end of a file that other processes grow as well, mapped into memory.

    The kernel appends a slot as one, and leaves the position of this descriptor at its end.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND)
    try:
        os.write(descriptor, array("Q", (kind, os.getpid())).tobytes().ljust(SLOT_BYTES, b"\0"))
        end = os.lseek(descriptor, 0, os.SEEK_CUR)
        return memoryview(mmap(descriptor, end)).cast("Q")[(end - SLOT_BYTES) // 8 + VALUES :]
    finally:
        os.close(descriptor)


def slots(content: bytes) -> Iterator["array[int]"]:
    """The slots of a file with that content, each as its 16 numbers."""
    for start in range(0, len(content), SLOT_BYTES):
        yield array("Q", content[start : start + SLOT_BYTES])


def request_counts(file: str) -> list[int]:
    """How many requests each worker has begun."""
    return [slot[VALUES] for slot in slots(Path(file).read_bytes()) if slot[0] == REQUESTS]
