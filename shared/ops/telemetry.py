"""Every request's id, in answers and log lines, and the count of requests."""

import logging
import os
import threading
from contextvars import ContextVar
from datetime import UTC, datetime
from random import getrandbits
from typing import Any
from weakref import WeakMethod

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from shared.ops.count_file import REQUESTS, new_slot, request_counts
from shared.shop.limits import TOKEN, rfc3339

request_id: ContextVar[str] = ContextVar("request_id", default="-")


def request_id_for(given: str | None) -> str:
    """The caller's X-Request-ID when it is well formed, else a new one of 16 hexadecimal digits.

    It names a request and guards nothing, so it is drawn without asking the kernel for randomness.
    """
    return given if given and TOKEN.fullmatch(given) else f"{getrandbits(64):016x}"


class RequestCounter:
    """How many requests a server has begun; safe under threads, greenlets and forks.

    Without a file this counts for one process. Workers that were given the same file count together: each appends a
    slot of its own to it, so that none waits for another, and the sum of the slots is what all of them have begun.
    """

    __slots__ = ("__weakref__", "_file", "_lock", "_slot")

    def __init__(self, file: str | None = None) -> None:
        self._file = file
        self._begin()
        if file:
            begin = WeakMethod(self._begin)
            os.register_at_fork(after_in_child=lambda: (again := begin()) and again())

    @property
    def value(self) -> int:
        """How many there were, in all workers that share the file."""
        return sum(request_counts(self._file)) if self._file else self._slot[0]

    def add(self) -> None:
        """Counts one more."""
        with self._lock:
            self._slot[0] += 1

    def _begin(self) -> None:
        """Takes a slot; again in a child process, whose parent keeps the old one."""
        self._lock = threading.Lock()
        self._slot: memoryview[int] | list[int] = new_slot(self._file, REQUESTS) if self._file else [0]


class _Lines(JsonFormatter):
    """A record as one line of JSON: `timestamp`, `level`, `logger`, `message`, `request_id`, what it was given as
    `extra`, and `exception` when there was one.
    """

    def __init__(self) -> None:
        super().__init__(
            ["levelname", "name", "message", "request_id"],
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "exception"},
            reserved_attrs=[*RESERVED_ATTRS, "data"],  # Celery's: all of the message and the traceback again
        )

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """The timestamp, in UTC, before everything else."""
        log_data["timestamp"] = rfc3339(datetime.fromtimestamp(record.created, UTC))
        super().add_fields(log_data, record, message_dict)


class _RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


def logger_of(name: str) -> logging.Logger:
    """A logger whose every line is JSON and carries the request id."""
    logger = logging.getLogger(name)
    if not logger.handlers:
        log_as_json(logger)
    return logger


def log_as_json(logger: logging.Logger) -> None:
    """Makes a logger, and those below it, write JSON to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Lines())
    handler.addFilter(_RequestIdFilter())
    logger.addHandler(handler)
    logger.propagate = False


def set_log_level(level: str) -> None:
    """Sets the level of the shop's loggers."""
    logging.getLogger("shop").setLevel(level)


_access_logger = logger_of("shop.access")


def log_access(method: str, path: str, status: int, duration_s: float, client: str) -> None:
    """One line for one answer. The path is logged without its query, which may hold private data."""
    _access_logger.info(
        "answered",
        extra={
            "method": method,
            "path": path,
            "status": status,
            "duration_ms": round(duration_s * 1000, 3),
            "client": client,
        },
    )
