"""Ask the kernel to wake this thread promptly, so that requests leave when they are due. The kernel may refuse."""

import ctypes
import platform
import struct

PR_SET_TIMERSLACK = 29
SLACK_NS = 1  # of 50,000 by default: how late a timer may ring to save power
SLICE_NS = (
    100_000  # a short time slice makes the scheduler of Linux 6.12 and later prefer a thread that wakes up
)
NICE = -10  # ahead of the database on the same CPU; root only
SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
SCHED_ATTR = struct.Struct("=IIQiIQQQ")  # size, policy, flags, nice, priority, runtime, deadline, period


def request_prompt_wakeups() -> None:
    """Set the timer slack, the time slice and, where that is allowed, the priority of the calling thread."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_TIMERSLACK, SLACK_NS, 0, 0, 0)
    number = SCHED_SETATTR.get(platform.machine())
    if number is not None:
        any(libc.syscall(number, 0, _attributes(nice), 0) == 0 for nice in (NICE, 0))


def _attributes(nice: int) -> bytes:
    return SCHED_ATTR.pack(SCHED_ATTR.size, 0, 0, nice, 0, SLICE_NS, 0, 0)
