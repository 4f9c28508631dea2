"""The users of a round: greenlets that wait for a connection to drive."""

from collections.abc import Callable, Sequence
from functools import partial

from gevent.event import AsyncResult
from gevent.queue import SimpleQueue

from loadtests.load.connection import Connection


class UserPool:
    """Hands jobs to whichever greenlets call `work`; there must be as many as connections are driven at once."""

    def __init__(self) -> None:
        self._jobs = SimpleQueue()

    def work(self) -> None:
        """Wait for one job and do it; what it raises is raised by `each`."""
        job, done = self._jobs.get()
        _settle(job, done)

    def each(self, job: Callable[[Connection], object], connections: Sequence[Connection]) -> None:
        """Have the job done on every connection, each by a user of its own; return when all are done."""
        settled = [AsyncResult() for _ in connections]
        for connection, done in zip(connections, settled, strict=True):
            self._jobs.put((partial(job, connection), done))
        for done in settled:
            done.get()


def _settle(job: Callable[[], object], done: AsyncResult) -> None:
    try:
        done.set(job())
    except Exception as error:  # raised again by `each`
        done.set_exception(error)
