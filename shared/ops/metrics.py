"""Prometheus metrics: how many requests were answered, how long they took, and how many are in progress.

A single process keeps its figures itself, and makes Prometheus's samples of them when they are asked for: that costs a
request a third of what prometheus_client's own counters do. Several workers leave theirs in files of a folder that
they share. prometheus_client looks for that folder, PROMETHEUS_MULTIPROC_DIR, when it is imported; it must be new at
every start.
"""

import os
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from threading import Lock

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE, OTHER_METHOD = "none", "other"

_REQUESTS = ("shop_requests_total", "Requests answered.")
_DURATIONS = ("shop_request_duration_seconds", "Time until the answer began.")
_IN_FLIGHT = ("shop_requests_in_flight", "Requests being served.")
_BOUNDS = [*map(str, BUCKETS_S), "+Inf"]
_Key = tuple[str, str, int]


class Metrics(Collector):
    """The figures of an app that is one process; safe under threads and greenlets.

    Labels are bounded: routes as templates, and the shop's methods or `other`. A request is timed until its
    answer begins. `begin` and `end` stand around every request, given any object that stands for it.
    """

    def __init__(self) -> None:
        self._serving: set[object] = set()
        self.begin: Callable[[object], object] = self._serving.add
        self.end: Callable[[object], object] = self._serving.discard
        self._lock = Lock()
        self._figures: dict[
            _Key, list[float]
        ] = {}  # by kind of answer: how many in each bucket, and their seconds

    def answered(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Counts and times one answer."""
        key = (method if method in METHODS else OTHER_METHOD, route, status)
        with self._lock:
            figures = self._figures.get(key)
            if figures is None:
                figures = self._figures[key] = [0.0] * (len(_BOUNDS) + 1)
            figures[bisect_left(BUCKETS_S, duration_s)] += 1
            figures[-1] += duration_s

    def text(self) -> bytes:
        """All figures in Prometheus's text format."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Metric]:
        """The figures as they are now."""
        with self._lock:
            known = {key: figures.copy() for key, figures in self._figures.items()}
        requests = CounterMetricFamily(*_REQUESTS, labels=("method", "route", "status"))
        durations: dict[tuple[str, str], list[float]] = {}
        for (method, route, status), figures in known.items():
            requests.add_metric((method, route, str(status)), sum(figures[:-1]))
            before = durations.get((method, route), [0.0] * len(figures))
            durations[method, route] = [one + other for one, other in zip(before, figures, strict=True)]
        yield requests
        yield _histogram(durations)
        yield GaugeMetricFamily(*_IN_FLIGHT, value=len(self._serving))


def _histogram(durations: dict[tuple[str, str], list[float]]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(*_DURATIONS, labels=("method", "route"))
    for labels, (*counts, total_s) in durations.items():
        family.add_metric(labels, list(zip(_BOUNDS, accumulate(counts), strict=True)), total_s)
    return family


class SharedMetrics(Metrics):
    """The figures of one of several workers; each reports those of all."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder
        # Not registered: they are read from the files.
        self._requests = Counter(*_REQUESTS, ("method", "route", "status"), registry=None)
        self._durations = Histogram(*_DURATIONS, ("method", "route"), buckets=BUCKETS_S, registry=None)
        in_flight = Gauge(*_IN_FLIGHT, registry=None, multiprocess_mode="livesum")
        self.begin = lambda _request: in_flight.inc()
        self.end = lambda _request: in_flight.dec()
        self._known: dict[_Key, tuple[Callable[[], None], Callable[[float], None]]] = {}

    def answered(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Counts and times one answer. The counters for a kind of answer are looked up once."""
        key = (method if method in METHODS else OTHER_METHOD, route, status)
        count, observe = self._known.get(key) or self._counters(key)
        count()
        observe(duration_s)

    def text(self) -> bytes:
        """The figures of all workers in Prometheus's text format."""
        forget_the_dead(Path(self._folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry, self._folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    def _counters(self, key: _Key) -> tuple[Callable[[], None], Callable[[float], None]]:
        method, route, status = key
        counters = (
            self._requests.labels(method, route, status).inc,
            self._durations.labels(method, route).observe,
        )
        return self._known.setdefault(key, counters)


def metrics_in(folder: str) -> Metrics:
    """The figures of an app: shared in a folder, or, without one, those of this process."""
    return SharedMetrics(folder) if folder else Metrics()


def forget_the_dead(folder: Path) -> None:
    """Removes the requests in progress of workers that have ended. Their counts stay: a counter never falls."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            with suppress(FileNotFoundError):  # another worker was quicker
                mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
        except PermissionError:
            pass
