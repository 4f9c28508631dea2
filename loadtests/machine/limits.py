"""How many connections this machine lets a process have: open files, and those that wait to be accepted."""

import resource
from pathlib import Path

SOMAXCONN = Path("/proc/sys/net/core/somaxconn")


def raise_open_files(wanted: int) -> int:
    """Lets this process, and what it starts, have that many files open, or as many as it may; gives how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted or soft == resource.RLIM_INFINITY:
        return wanted
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    except (OSError, ValueError):  # beyond the hard limit, which only root may raise
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard
    return wanted


def listen_backlog(wanted: int) -> int:
    """How many connections the kernel keeps for a server that asks for so many, until it accepts them."""
    return min(wanted, int(SOMAXCONN.read_text(encoding="ascii")))
