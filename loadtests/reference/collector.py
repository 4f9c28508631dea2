"""Full garbage collections at known distances, over a heap of known size, timed by the process that pauses for them."""

import gc
import json
import os
import threading
import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any

APP, EVERY, OBJECTS = "COLLECTOR_APP", "COLLECTOR_EVERY", "COLLECTOR_OBJECTS"
STAMPS = "/collector/stamps"


class Collector:
    """Collects with every `every`-th request (0: never), among `objects` more objects than the application has."""

    def __init__(self, every: int, objects: int) -> None:
        self._every = every
        self._heap: list[list[int]] = [[] for _ in range(objects)]
        self._lock = threading.Lock()
        self._requests = self._wall_ns = self._cpu_ns = 0
        self._pauses: list[tuple[int, int]] = []

    def count(self) -> None:
        """Count a request, and collect in the calling thread when it is due; other threads wait."""
        with self._lock:
            self._requests += 1
            if self._every and self._requests % self._every == 0:
                self._collect()

    def stamps(self) -> bytes:
        """JSON: requests and collections so far, and what the latter took: wall time, CPU time of their threads.

        `pauses`: when each collection began, in CLOCK_MONOTONIC, and how long it took. `process_cpu_ns`: CPU time of
        the whole process.
        """
        with self._lock:
            stamps = {
                "requests": self._requests,
                "collections": len(self._pauses),
                "wall_ns": self._wall_ns,
                "cpu_ns": self._cpu_ns,
                "pauses": self._pauses,
                "process_cpu_ns": time.process_time_ns(),
            }
            return json.dumps(stamps).encode()

    def _collect(self) -> None:
        began_ns, cpu_began_ns = time.monotonic_ns(), time.thread_time_ns()
        gc.collect()
        self._cpu_ns += time.thread_time_ns() - cpu_began_ns
        self._pauses.append((began_ns, time.monotonic_ns() - began_ns))
        self._wall_ns += self._pauses[-1][1]


def from_environment(environment: Mapping[str, str] = os.environ) -> tuple[Any, Collector]:
    """The application that COLLECTOR_APP names as `module:object`, and a collector as the other variables say."""
    module, _, name = environment[APP].partition(":")
    return getattr(import_module(module), name), Collector(int(environment[EVERY]), int(environment[OBJECTS]))
