"""Stopping without losing a request: on SIGTERM a worker fails /readyz, serves for a while, then stops.

The while is for load balancers, which see 503 there and send new requests elsewhere. What is in flight at its end the
server finishes, as it does without us. All of this is the process's state, as its signals are.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from shared.shop.errors import Unavailable

_SERVERS = {"gunicorn", "uvicorn"}


class Draining:
    """Whether this process is about to stop."""

    __slots__ = ("_told", "begun")

    def __init__(self) -> None:
        self.begun = False
        self._told: list[Callable[[], None]] = []

    def then(self, tell: Callable[[], None]) -> None:
        """Has `tell` called when it begins: out of the handler of a signal, so it must take no lock."""
        self._told.append(tell)

    def begin(self) -> None:
        """The process is about to stop."""
        self.begun = True
        for tell in self._told:
            tell()

    def refuse(self) -> None:
        """Raises Unavailable once draining has begun."""
        if self.begun:
            raise Unavailable("process", "is draining and about to stop")


draining = Draining()


def take_over(drain_s: float) -> None:
    """Puts draining before the server's own SIGTERM handler, once.

    Does nothing where that handler is not a method of gunicorn's worker or uvicorn's server: others set theirs later
    or have their event loop call it, and would then be notified twice or never.
    """
    former = signal.getsignal(signal.SIGTERM)
    server = type(getattr(former, "__self__", None)).__module__.partition(".")[0]
    here = threading.current_thread() is threading.main_thread()
    if here and callable(former) and server in _SERVERS:
        _install(signal.SIGTERM, _Handler(former, drain_s))


class _Handler:
    """Begins to drain; after `drain_s` the former handler is called, in the main thread, as if the signal came then.

    The alarm is a signal too, so it wakes whatever the server waits in; a thread would not, and gevent has none.
    """

    def __init__(self, former: Callable[[int, FrameType | None], Any], drain_s: float) -> None:
        self._former = former
        self._drain_s = drain_s

    def __call__(self, _signal: int, frame: FrameType | None) -> None:
        """The first SIGTERM counts; later ones change nothing."""
        if draining.begun:
            return
        draining.begin()
        if self._drain_s > 0:
            _install(signal.SIGALRM, self._stop)
            signal.setitimer(signal.ITIMER_REAL, self._drain_s)
        else:
            self._former(signal.SIGTERM, frame)

    def _stop(self, _signal: int, frame: FrameType | None) -> None:
        self._former(signal.SIGTERM, frame)


def take_over_loop(loop: Any, former: Callable[[], Any], drain_s: float) -> None:
    """The same for a server that has its event loop call `former` on SIGTERM."""

    def begin() -> None:
        if not draining.begun:
            draining.begin()
            loop.call_later(drain_s, former)

    loop.add_signal_handler(signal.SIGTERM, begin)


def _install(number: signal.Signals, handler: Callable[[int, FrameType | None], None]) -> None:
    signal.signal(number, handler)
    signal.siginterrupt(number, False)  # requests being served are not to be interrupted
