"""Work after the answer: FastAPI brings `BackgroundTasks`, Flask leaves it to the app.

A few threads belong to the app. When a worker ends, Python waits for the work that they were given; if the
server's patience ends sooner, or the process is killed, it is lost. Under gunicorn's gevent worker the threads are
greenlets: it patches `threading` and `queue` before it loads the app.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from heapq import heappop, heappush
from itertools import count
from threading import Condition, Thread
from time import monotonic
from typing import Any, cast

from shared.ops.telemetry import logger_of

Work = Callable[[], object]

THREADS = 2  # and at most as many connections, in addition to those of the requests
logger = logger_of("shop.flask")


class Background:
    """Threads that work, and one that keeps what is not due yet; that is lost when the process ends.

    None is started before there is work.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "background")
        self._due: list[tuple[float, int, Any]] = []  # the number decides between equal moments
        self._number = count()
        self._changed = Condition()
        self._keeper: Thread | None = None
        self._closed = False

    def soon(self, work: Work) -> None:
        """Has work done as soon as a thread is free, under the id of this request."""
        self._threads.submit(copy_context().run, _done, work)

    def later(self, delay_s: float, work: Work) -> None:
        """Has work done after a delay, under the id of this request."""
        kept = partial(copy_context().run, _done, work)
        with self._changed:
            heappush(self._due, (monotonic() + delay_s, next(self._number), kept))
            if self._keeper is None:
                self._keeper = Thread(target=self._keep, name="background-keeper", daemon=True)
                self._keeper.start()
            self._changed.notify()

    def close(self) -> None:
        """Drops what is not due, and waits for the rest."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._keeper is not None:
            self._keeper.join()
        self._threads.shutdown()

    def _keep(self) -> None:
        while (work := self._next_due()) is not None:
            try:
                self._threads.submit(work)
            except RuntimeError:  # the interpreter is ending
                return

    def _next_due(self) -> Work | None:
        """What is due next, when it is; None when there is nothing to wait for any more."""
        with self._changed:
            while not self._closed:
                wait_s = self._due[0][0] - monotonic() if self._due else None
                if wait_s is not None and wait_s <= 0:
                    return cast("Work", heappop(self._due)[2])
                self._changed.wait(wait_s)
        return None


def _done(work: Work) -> None:
    """Does the work. Nobody waits for its outcome, so a failure goes to the log."""
    try:
        work()
    except Exception:
        logger.exception("work after an answer failed")
