"""A server whose observer of garbage collections is timed itself, for `observer.py`.

Run as `python -m loadtests.studies.timed_observer MODULE ...` instead of `python -m MODULE ...`. Each process has a
slot of kind TIMING in REQUEST_COUNT_FILE: calls of the observer, and the CPU time that they took in nanoseconds.
"""

import gc
import os
import runpy
import sys
from time import thread_time_ns
from typing import Literal

from shared.ops.count_file import new_slot

TIMING = 100


def main() -> None:
    """Time the observer, which is there already, in this process and in those that it forks; become the server."""
    (observe,) = gc.callbacks
    file = os.environ["REQUEST_COUNT_FILE"]
    slot = new_slot(file, TIMING)

    def timed(phase: Literal["start", "stop"], info: dict[str, int]) -> None:
        began_ns = thread_time_ns()
        observe(phase, info)
        slot[1] += thread_time_ns() - began_ns
        slot[0] += 1

    def go_on_in_child() -> None:
        nonlocal slot
        slot = new_slot(file, TIMING)

    gc.callbacks[:] = [timed]
    os.register_at_fork(after_in_child=go_on_in_child)
    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
