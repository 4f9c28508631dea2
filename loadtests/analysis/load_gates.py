"""Gates on the load: whether it was sent as planned, and whether the load generator was the bottleneck."""

import polars as pl

from loadtests.analysis.evidence import NO_METER, Evidence, Inspection
from loadtests.analysis.histograms import needed_samples, pooled_ms
from loadtests.config.metrics import PERCENTILES

ACHIEVED_LIMIT_PERCENT = 99.5
GENERATOR_LIMIT_PERCENT = 80.0
LITTLE_LIMIT_PERCENT = 5.0
LAG_FLOOR_MS, LAG_SHARE = 1.0, 0.5  # a lag may be 1 ms, or half of the service time's same percentile


def achieved_rate(evidence: Evidence) -> Inspection:
    """Open loop: answered over scheduled requests, in percent. A scheduled request that was not sent has no answer."""
    opened = evidence.only("open")
    scheduled = int(opened["requests"].sum())
    if scheduled == 0:
        return Inspection(None, ACHIEVED_LIMIT_PERCENT, ok=True, note="no open loop")
    percent = 100 * int(opened["answered"].sum()) / scheduled
    return Inspection(
        percent, ACHIEVED_LIMIT_PERCENT, percent >= ACHIEVED_LIMIT_PERCENT, f"{percent:.2f} % were answered"
    )


def generator_cpu(evidence: Evidence) -> Inspection:
    """CPU time of the load process over the time of the slices, in percent of one core."""
    read = evidence.slices.drop_nulls("generator_cpu_ns")
    span_ns = int((read["drained_ns"] - read["start_ns"]).sum())
    if span_ns <= 0:
        return Inspection(None, GENERATOR_LIMIT_PERCENT, ok=True, note=NO_METER)
    percent = 100 * float(read["generator_cpu_ns"].sum()) / span_ns
    note = f"the load generator used {percent:.0f} % of its core and may have been the bottleneck"
    return Inspection(percent, GENERATOR_LIMIT_PERCENT, percent < GENERATOR_LIMIT_PERCENT, note)


def littles_law(evidence: Evidence) -> Inspection:
    """Closed loop: mean concurrency = throughput x mean time (Little 1961), in percent of the number of users.

    From the first request to the stop every user waits for an answer but for the client's own time between two
    requests. More than that can't be; much less means that time, or a request, was lost at the client.
    """
    closed = evidence.only("closed").drop_nulls("had_ns")
    had_ns = int(closed["had_ns"].sum())
    if had_ns == 0:
        return Inspection(None, LITTLE_LIMIT_PERCENT, ok=True, note="not measured: no closed loop")
    percent = 100 * int(closed["used_ns"].sum()) / had_ns - 100
    note = f"request times add up to {percent:+.1f} % of users x time"
    return Inspection(percent, LITTLE_LIMIT_PERCENT, abs(percent) <= LITTLE_LIMIT_PERCENT, note)


def send_lag(evidence: Evidence) -> Inspection:
    """Open loop: p95 of how late the generator itself sent, in ms, against half the service p95 or 1 ms.

    Where there are too few answers for p95, and so p50 alone is reported, p50 is judged.
    """
    tail = _lag(evidence, "p95", "one request in twenty")
    return tail if tail.value is not None else _lag(evidence, "p50", "every second request")


def send_lag_tail(evidence: Evidence) -> Inspection:
    """The same at p99: where it is large, p99 and beyond measure the generator; the rest may be sound."""
    return _lag(evidence, "p99", "one request in a hundred")


def _lag(evidence: Evidence, name: str, share: str) -> Inspection:
    """The lag's percentile against that of the service time's same percentile, both pooled over all rounds."""
    q = PERCENTILES[name]
    pools = evidence.pools.filter(pl.col("mode") == "open")
    answered = int(pools.filter(pl.col("kind") == "service")["samples"].sum())
    lag_ms, service_ms = pooled_ms(pools, "lag", q), pooled_ms(pools, "service", q)
    if lag_ms is None or service_ms is None or answered < needed_samples(q):
        return Inspection(
            None, None, ok=True, note=f"not measured: no open loop with enough answers for {name}"
        )
    limit_ms = max(LAG_FLOOR_MS, LAG_SHARE * service_ms)
    return Inspection(lag_ms, limit_ms, lag_ms <= limit_ms, f"{share} was sent {lag_ms:.2f} ms late or more")
