"""A circuit breaker: what has just failed is not called for a moment, so that not every request waits for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from shared.ops.telemetry import logger_of

PAUSE_S = 1.0
logger = logger_of("shop.cache")


def warn(error: Exception) -> None:
    """The log message when the cache's breaker has tripped."""
    logger.warning(
        "the cache can't be reached: items come from the database, stock is not pushed (%s)", error
    )


class Breaker:
    """Says whether a service may be called. After a failure no call for PAUSE_S, then one call at a time tries.

    Safe under threads and greenlets: two that try at once do no harm.
    """

    __slots__ = ("_again_at", "_clock")

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._again_at = 0.0

    def allows(self) -> bool:
        """Whether to call now; a call that is allowed after a failure blocks the others for another PAUSE_S."""
        if not self._again_at:
            return True
        now = self._clock()
        if now < self._again_at:
            return False
        self._again_at = now + PAUSE_S
        return True

    @contextmanager
    def watching(self, failures: type[Exception], tell: Callable[[Exception], None]) -> Iterator[None]:
        """Records how the block ends. One of these failures goes to `tell` and no further."""
        try:
            yield
        except failures as error:
            self.failed()
            tell(error)
        else:
            self.worked()

    def failed(self) -> None:
        """Records that there was no answer."""
        self._again_at = self._clock() + PAUSE_S

    def worked(self) -> None:
        """Records that there was an answer."""
        self._again_at = 0.0
