"""Start a program pinned to CPUs, sure to die with the process that asked for it.

Run as `python -I -S launch.py PARENT CPUS -- argv...`: PARENT is the asking process's id, CPUS a list such as
`0,1`, or `-` for no pinning. It becomes the program by exec, so the process id stays. The kernel kills it when the
thread that started it ends, so children are started from a thread that lives as long as they shall.

What such a program starts in its turn the kernel would spare. Run as `python -I -S launch.py`, with the ids of process
groups on standard input, one a line, it kills those groups when its input ends, as it does when the asker is killed.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress

PR_SET_PDEATHSIG = 1


def launch_argv(argv: Sequence[str], cpus: Sequence[int]) -> list[str]:
    """The command line that starts argv through this file, as a child of this process; no CPUs: no pinning."""
    listed = ",".join(map(str, cpus)) or "-"
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), listed, "--", *argv]


def group_killer_argv() -> list[str]:
    """The command line of a process that kills the groups named on its standard input, as soon as that ends."""
    return [sys.executable, "-I", "-S", __file__]


def how_ended(status: int) -> str:
    """How a process ended, in words, from what Popen calls its return code."""
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


def end_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies; leave at once if it is dead already."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the process that asked for this one is gone")


def kill_groups(lines: Iterable[str]) -> None:
    """Read ids of process groups to the end, then kill whatever is left of them."""
    for group in [int(line) for line in lines]:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def main(arguments: Sequence[str]) -> None:
    """Become the program named on the command line; without one, wait for the end of the input and kill."""
    if not arguments:
        kill_groups(sys.stdin)
        return
    parent, cpus, _, *argv = arguments
    end_with(int(parent))
    if cpus != "-":
        os.sched_setaffinity(0, [int(cpu) for cpu in cpus.split(",")])
    os.execvp(argv[0], argv)  # noqa: S606 - becoming that program is the point


if __name__ == "__main__":
    main(sys.argv[1:])
