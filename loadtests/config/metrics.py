"""The metrics that a run reports: one table of names, titles, units and directions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["cost", "pause", "latency", "other"]


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
    Metric(f"{kind}_{name}_ms", title, "ms")
    for kind in ("response", "service")
    for name, title in (
        *((name, f"{kind} time p{100 * q:g}") for name, q in PERCENTILES.items()),
        ("max", f"longest {kind} time"),
    )
)

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("throughput_rps", "throughput", "requests/s", higher_is_better=True),
        Metric("cpu_us_per_request", "CPU time per request", "µs"),
        Metric("pause_free_cpu_us_per_request", "CPU time per request without pauses", "µs"),
        Metric("pause_us_per_request", "CPU time of pauses per request", "µs"),
        Metric("longest_pause_ms", "longest pause", "ms"),
        Metric("requests_between_pauses", "requests between pauses", "requests", higher_is_better=True),
        Metric("database_cpu_us_per_request", "CPU time of database and cache per request", "µs"),
        Metric("cpu_with_database_us_per_request", "CPU time per request, database and cache included", "µs"),
        Metric("half_load_cpu_us_per_request", "CPU time per request at half load", "µs"),
        Metric("half_load_database_cpu_us_per_request", "CPU time of database and cache at half load", "µs"),
        *_LATENCIES,
        Metric("private_mib", "memory", "MiB"),
        Metric("pss_mib", "memory, shared pages divided", "MiB"),
        Metric("bytes_per_response", "bytes per response", "bytes"),
        Metric("requests_per_connection", "requests per connection", "requests", higher_is_better=True),
        Metric("error_percent", "errors", "%"),
        Metric("capacity_at_slo_rps", "capacity within the SLO", "requests/s", higher_is_better=True),
        Metric("knee_rps", "knee", "requests/s", higher_is_better=True),
    )
}

COSTS = ("throughput_rps", "cpu_us_per_request")
"""What a request costs in a closed loop, in time and in CPU time, pauses included."""

PAUSES = (
    "pause_free_cpu_us_per_request",
    "pause_us_per_request",
    "longest_pause_ms",
    "requests_between_pauses",
)
"""The parts that a cost consists of. A pause is a full garbage collection."""

HALF_LOAD = (
    "half_load_"  # opens the name of a cost that is measured in the open loop, at a rate common to all
)
WITH_DATABASE, AT_HALF_LOAD = "cpu_with_database_us_per_request", f"{HALF_LOAD}cpu_us_per_request"
DATABASE = ("database_cpu_us_per_request", f"{HALF_LOAD}database_cpu_us_per_request")
"""What PostgreSQL and Redis use for a request, and costs in sum with it or at half load."""

COMPARED = (
    *COSTS,
    "response_p50_ms",
    "response_p95_ms",
    "response_p99_ms",
    "private_mib",
    "pss_mib",
)
"""The metrics on which a verdict is given; `pss_mib` only where `private_mib` was not measured."""

PRIMARY = (*COSTS, "capacity_at_slo_rps")
"""The metrics of the primary family: compared between the headline pair, with verdicts that hold for all of them."""

PER_PROCESS = ("private_mib", "pss_mib")
"""Measured once per round and process, not per scenario."""


def kind_of(metric: str) -> Kind:
    """How a metric is estimated: a cost of a loop, a part of one, a latency, or anything else."""
    if metric in (*COSTS, WITH_DATABASE, AT_HALF_LOAD):
        return "cost"
    if metric in PAUSES:
        return "pause"
    return "latency" if metric.startswith(("response_", "service_")) else "other"


def loop_of(metric: str) -> str:
    """The loop that a metric is measured in: `open` for latencies, `tail` for those from p99 on, else `closed`.

    Costs at half load are measured in the open loop as well.
    """
    if kind_of(metric) != "latency":
        return "open" if metric.startswith(HALF_LOAD) else "closed"
    return "tail" if metric.endswith(("_p99_ms", "_p999_ms", "_max_ms")) else "open"
