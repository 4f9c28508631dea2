"""The metrics that a run reports: one table of names, titles, units and directions."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a contestant in a scenario."""

    name: str
    title: str
    unit: str
    higher_is_better: bool = False


PERCENTILES: Mapping[str, float] = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p999": 0.999}
"""Percentile name -> quantile."""

_LATENCIES = tuple(
    Metric(f"{kind}_{name}_ms", f"{kind} time {name}", "ms")
    for kind in ("response", "service")
    for name in PERCENTILES
)

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("throughput_rps", "throughput", "requests/s", higher_is_better=True),
        Metric("cpu_us_per_request", "CPU time per request", "µs"),
        *_LATENCIES,
        Metric("pss_mib", "memory", "MiB"),
        Metric("bytes_per_response", "bytes per response", "bytes"),
        Metric("requests_per_connection", "requests per connection", "requests", higher_is_better=True),
        Metric("error_percent", "errors", "%"),
        Metric("capacity_at_slo_rps", "capacity within the SLO", "requests/s", higher_is_better=True),
        Metric("knee_rps", "knee", "requests/s", higher_is_better=True),
    )
}

COMPARED = (
    "throughput_rps",
    "cpu_us_per_request",
    "response_p50_ms",
    "response_p95_ms",
    "response_p99_ms",
    "pss_mib",
)
"""The metrics on which a verdict is given."""

PER_PROCESS = ("pss_mib",)
"""Measured once per round and process, not per scenario: every scenario shows the same figure."""


def loop_of(metric: str) -> str:
    """The loop that a metric is measured in: `open` for latencies, `tail` for those from p99 on, else `closed`."""
    if not metric.startswith(("response_", "service_")):
        return "closed"
    return "tail" if metric.endswith(("_p99_ms", "_p999_ms")) else "open"
