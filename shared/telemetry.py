"""What is known of every request: its id, in answers and log lines, and how many there were."""

import logging
import threading
from contextvars import ContextVar
from random import getrandbits

from shared.limits import TOKEN

request_id: ContextVar[str] = ContextVar("request_id", default="-")


def request_id_for(given: str | None) -> str:
    """The caller's X-Request-ID when it is well formed, else a new one of 16 hexadecimal digits.

    It names a request and guards nothing, so it is drawn without asking the kernel for randomness.
    """
    return given if given and TOKEN.fullmatch(given) else f"{getrandbits(64):016x}"


class RequestCounter:
    """How many requests this process has begun; safe under threads and greenlets."""

    __slots__ = ("_lock", "value")

    def __init__(self) -> None:
        self.value = 0
        self._lock = threading.Lock()

    def add(self) -> None:
        """Counts one more."""
        with self._lock:
            self.value += 1


class _RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


def logger_of(name: str) -> logging.Logger:
    """A logger whose every line carries the request id."""
    logger = logging.getLogger(name)
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)s [%(request_id)s] %(name)s: %(message)s")
        )
        handler.addFilter(_RequestIdFilter())
        logger.addHandler(handler)
        logger.propagate = False
    return logger
