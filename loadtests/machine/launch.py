"""Become a program pinned to CPUs, sure to end with the process that started it; or kill process groups at the end.

Run as `python -I -S launch.py PARENT CPUS SIGNAL USER -- argv...`: PARENT is that process's id, CPUS a list such
as `0,1`, or `-` for no pinning, USER a name, or `-` for the same user. It becomes the program by exec, so the process
id stays. The kernel sends it SIGNAL when the thread that started it ends, so children are started from a thread that
lives as long as they should.

The kernel does not do that for the children of such a program. Run as `python -I -S launch.py`, with the ids
of process groups on standard input, one per line, it kills those groups when its input ends, as it does when the
process that writes it is killed.
"""

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress

PR_SET_PDEATHSIG = 1


def launch_argv(
    argv: Sequence[str],
    cpus: Sequence[int],
    *,
    if_orphaned: signal.Signals = signal.SIGKILL,
    user: str | None = None,
) -> list[str]:
    """The command line that starts argv through this file, as a child of this process; no CPUs: no pinning."""
    listed = ",".join(map(str, cpus)) or "-"
    options = [str(os.getpid()), listed, str(int(if_orphaned)), user or "-"]
    return [sys.executable, "-I", "-S", __file__, *options, "--", *argv]


def group_killer_argv() -> list[str]:
    """The command line of a process that kills the groups named on its standard input, as soon as that ends."""
    return [sys.executable, "-I", "-S", __file__]


def become_user(name: str) -> None:
    """Give up this user's rights for another's; only root can."""
    entry = pwd.getpwnam(name)
    os.initgroups(name, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def end_with(parent: int, number: int) -> None:
    """Have the kernel send this process a signal when its parent ends; leave at once if it has ended already.

    A change of user would undo it, so that comes first.
    """
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent process has ended")


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
    parent, cpus, number, user, _, *argv = arguments
    if cpus != "-":
        os.sched_setaffinity(0, [int(cpu) for cpu in cpus.split(",")])
    if user != "-":
        become_user(user)
    end_with(int(parent), int(number))
    os.execvp(argv[0], argv)  # noqa: S606 - becoming that program is the point


if __name__ == "__main__":
    main(sys.argv[1:])
