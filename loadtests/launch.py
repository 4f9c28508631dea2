"""Start a program pinned to CPUs, sure to die with the process that asked for it.

Run as `python -I -S launch.py PARENT CPUS -- argv...`: PARENT is the asking process's id, CPUS a list such as
`0,1`, or `-` for no pinning. It becomes the program by exec, so the process id stays. The kernel kills it when the
thread that started it ends, so children are started from a thread that lives as long as they shall.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1


def launch_argv(argv: Sequence[str], cpus: Sequence[int]) -> list[str]:
    """The command line that starts argv through this file, as a child of this process; no CPUs: no pinning."""
    listed = ",".join(map(str, cpus)) or "-"
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), listed, "--", *argv]


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies; leave at once if it is dead already."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the process that asked for this one is gone")


def main(arguments: Sequence[str]) -> None:
    """Become the program named on the command line."""
    parent, cpus, _, *argv = arguments
    die_with(int(parent))
    if cpus != "-":
        os.sched_setaffinity(0, [int(cpu) for cpu in cpus.split(",")])
    os.execvp(argv[0], argv)  # noqa: S606 - becoming that program is the point


if __name__ == "__main__":
    main(sys.argv[1:])
