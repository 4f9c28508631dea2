"""Gates on the load: whether it was sent as planned and in time."""

import polars as pl

from loadtests.analysis.evidence import Evidence, Inspection, not_checked
from loadtests.analysis.histograms import needed_samples, pooled_ms
from loadtests.config.metrics import PERCENTILES

ACHIEVED_LIMIT_PERCENT = 99.5
LITTLE_LIMIT_PERCENT = 5.0
LAG_LIMIT_PERCENT = 25.0  # of the service time: a fifth of what a request took from when it was due


def achieved_rate(evidence: Evidence) -> Inspection:
    """Answered over scheduled requests, in percent. A scheduled request that was not sent has no answer."""
    slices = evidence.slices
    scheduled = int(
        pl.select(pl.max_horizontal(slices["requests"], slices["planned_requests"])).to_series().sum()
    )
    if scheduled == 0:
        return not_checked(ACHIEVED_LIMIT_PERCENT, "not measured: no request was scheduled")
    percent = 100 * int(slices["answered"].sum()) / scheduled
    return Inspection(
        percent, ACHIEVED_LIMIT_PERCENT, percent >= ACHIEVED_LIMIT_PERCENT, f"{percent:.2f} % were answered"
    )


def littles_law(evidence: Evidence) -> Inspection:
    """Closed loop: mean concurrency = throughput x mean time (Little 1961), in percent of the number of users.

    From the first request to the stop every user waits for an answer but for the client's own time between two
    requests. With a fixed number of requests the stop is the moment at which the last is sent. More than that can't be;
    much less means that time, or a request, was lost at the client.
    """
    closed = evidence.slices.drop_nulls("had_ns")
    had_ns = int(closed["had_ns"].sum())
    if had_ns == 0:
        return not_checked(LITTLE_LIMIT_PERCENT, "not measured: no request was sent")
    percent = 100 * int(closed["used_ns"].sum()) / had_ns - 100
    note = f"request times add up to {percent:+.1f} % of users x time"
    return Inspection(percent, LITTLE_LIMIT_PERCENT, abs(percent) <= LITTLE_LIMIT_PERCENT, note)


def send_lag(evidence: Evidence) -> Inspection:
    """How late the generator itself sent, in percent of the service time: at p50 or p95, whichever is more.

    Each percentile of the lag is held against the same one of the service time, both pooled over the rounds. Not
    against that of the response time: where the generator can't keep up, its backlog makes that longer too.
    """
    return _lag(evidence, ("p50", "p95"))


def send_lag_tail(evidence: Evidence) -> Inspection:
    """The same at p99: where it is large, p99 and beyond measure the generator; the rest may be sound."""
    return _lag(evidence, ("p99",))


def _lag(evidence: Evidence, names: tuple[str, ...]) -> Inspection:
    shares = [found for name in names if (found := _share(evidence.pools, name))]
    if not shares:
        return not_checked(LAG_LIMIT_PERCENT, f"not measured: too few answers for {names[0]}")
    percent, note = max(shares)
    return Inspection(percent, LAG_LIMIT_PERCENT, percent <= LAG_LIMIT_PERCENT, note)


def _share(pools: pl.DataFrame, name: str) -> tuple[float, str] | None:
    """A percentile of the lag in percent of the service time's, and both in words; None with too few answers."""
    q = PERCENTILES[name]
    answered = int(pools.filter(pl.col("kind") == "service")["samples"].sum())
    lag_ms, service_ms = (pooled_ms(pools, kind, q) for kind in ("lag", "service"))
    if answered < needed_samples(q) or lag_ms is None or not service_ms:
        return None
    percent = 100 * lag_ms / service_ms
    return (
        percent,
        f"sent {lag_ms:.2f} ms late at {name}, {percent:.0f} % of the service time of {service_ms:.2f} ms",
    )
