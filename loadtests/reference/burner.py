"""A known amount of CPU work per request, stamped by the process that does it."""

import json
import os
import threading
import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any

APP, LOOPS = "BURNER_APP", "BURNER_LOOPS"
STAMPS = "/burner/stamps"


class Burner:
    """Runs an empty loop of `loops` turns for each request, and counts requests and time.

    The loop slows down with the machine as other code does; how much time it took is measured, not assumed.
    """

    def __init__(self, loops: int) -> None:
        self._loops = loops
        self._lock = threading.Lock()
        self._requests = self._burnt_ns = 0

    def burn(self) -> None:
        """Do the work of one request in the calling thread."""
        began_ns = time.thread_time_ns()
        for _ in range(self._loops):
            pass
        burnt_ns = time.thread_time_ns() - began_ns
        with self._lock:
            self._requests += 1
            self._burnt_ns += burnt_ns

    def stamps(self) -> bytes:
        """JSON: requests burnt for, nanoseconds burnt, and the CPU time of the whole process so far."""
        with self._lock:
            counts = {"requests": self._requests, "burnt_ns": self._burnt_ns}
        return json.dumps({**counts, "cpu_ns": time.process_time_ns()}).encode()


def from_environment(environment: Mapping[str, str] = os.environ) -> tuple[Any, Burner]:
    """The application that BURNER_APP names as `module:object`, and a burner of BURNER_LOOPS turns."""
    module, _, name = environment[APP].partition(":")
    return getattr(import_module(module), name), Burner(int(environment.get(LOOPS, "0")))
