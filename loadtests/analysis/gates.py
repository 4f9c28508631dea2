"""The gates: no number without them. Each is a function of the digest; what it finds is a value, never an exception.

A gate looks at one contestant in one scenario. A failed one makes that cell invalid; the number stays visible.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from loadtests.analysis.digest import CELL, KINDS, Digest
from loadtests.analysis.summary import GateResult, RunInfo

ERROR_LIMIT_PERCENT = 0.1
ACHIEVED_LIMIT_PERCENT = 99.5
GENERATOR_LIMIT_PERCENT = 80.0
BYTES_LIMIT_PERCENT = 1.0
LITTLE_LIMIT_PERCENT = 5.0
ASIDE_LIMIT_PERCENT = 50.0
LAG_FLOOR_MS, LAG_SHARE = 1.0, 0.5  # a lag may be 1 ms, or half of the service time's same percentile
UNANSWERED = ("connect", "reset", "timeout", "malformed")
NO_METER = "not measured: no slice with a reading"

LOOPS: Mapping[str, tuple[str, ...]] = {
    "achieved_rate": ("open", "tail"),
    "send_lag": ("open", "tail"),
    "send_lag_tail": ("tail",),
    "littles_law": ("closed",),
}
"""The metrics that a gate is about, by `metrics.loop_of`; one that is not named here is about all of them."""
EVERYWHERE = ("closed", "open", "tail")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a gate looks at: one contestant's part of the digest in one scenario, and the run it belongs to.

    peers: the bodies of all contestants in that scenario.
    """

    slices: pl.DataFrame
    pools: pl.DataFrame
    peers: pl.DataFrame
    run: RunInfo
    contestant: str

    def only(self, mode: str) -> pl.DataFrame:
        """The slices of one mode."""
        return self.slices.filter(pl.col("mode") == mode)


@dataclass(frozen=True, slots=True)
class Finding:
    """The value found, the limit it is held against, and whether it passes. value None: not measured, see note."""

    value: float | None
    limit: float | None
    ok: bool
    note: str = ""


def inspect(digest: Digest, run: RunInfo) -> list[GateResult]:
    """Every gate on every contestant of every scenario, in the order of the data."""
    return [
        GateResult(scenario, contestant, gate, found.value, found.limit, found.ok, found.note)
        for (scenario, contestant), evidence in _evidence(digest, run)
        for gate, look in GATES.items()
        for found in [look(evidence)]
    ]


Reasons = Mapping[tuple[str, str, str], tuple[str, ...]]


def reasons(results: Sequence[GateResult]) -> Reasons:
    """(scenario, contestant, loop) -> why the metrics of that loop must not be trusted, in plain words."""
    failed: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for one in results:
        for loop in () if one.ok else LOOPS.get(one.gate, EVERYWHERE):
            key = (one.scenario, one.contestant, loop)
            failed[key] = (*failed.get(key, ()), f"{one.gate}: {one.note}")
    return failed


def _evidence(digest: Digest, run: RunInfo) -> Iterator[tuple[tuple[str, str], Evidence]]:
    pools = digest.pools.partition_by(CELL, as_dict=True)
    peers = digest.bodies.partition_by("scenario", as_dict=True)
    for key, slices in digest.slices.partition_by(CELL, as_dict=True, maintain_order=True).items():
        scenario, contestant = str(key[0]), str(key[1])
        own = pools.get(key, digest.pools.clear())
        others = peers.get((scenario,), digest.bodies.clear())
        yield (scenario, contestant), Evidence(slices, own, others, run, contestant)


def error_rate(evidence: Evidence) -> Finding:
    """Failures of any kind, in percent of the requests."""
    asked = int(evidence.slices["requests"].sum())
    if asked == 0:
        return Finding(None, ERROR_LIMIT_PERCENT, ok=True, note="not measured: nothing was asked")
    failed = {name: int(evidence.slices[name].sum()) for name in KINDS.values()}
    percent = 100 * sum(failed.values()) / asked
    kinds = sorted(failed.items(), key=lambda kind: -kind[1])
    told = ", ".join(f"{count} x {name}" for name, count in kinds if count)
    return Finding(percent, ERROR_LIMIT_PERCENT, percent < ERROR_LIMIT_PERCENT, told and f"failed: {told}")


def unfinished(evidence: Evidence) -> Finding:
    """Requests that were begun and never got a whole answer, or of which not even a record is left; none may be."""
    slices = evidence.slices
    unanswered = sum(int(slices[name].sum()) for name in UNANSWERED)
    begun = slices["client_requests"].cast(pl.Int64) - slices["warmup_requests"]
    lost = int((begun - slices["requests"]).clip(lower_bound=0).sum())
    note = f"{unanswered} requests got no whole answer, {lost} left no record"
    return Finding(float(unanswered + lost), 0.0, unanswered + lost == 0, note)


def achieved_rate(evidence: Evidence) -> Finding:
    """Open loop: answered over scheduled requests, in percent. A scheduled request that was not sent has no answer."""
    opened = evidence.only("open")
    scheduled = int(opened["requests"].sum())
    if scheduled == 0:
        return Finding(None, ACHIEVED_LIMIT_PERCENT, ok=True, note="no open loop")
    percent = 100 * int(opened["answered"].sum()) / scheduled
    return Finding(
        percent, ACHIEVED_LIMIT_PERCENT, percent >= ACHIEVED_LIMIT_PERCENT, f"{percent:.2f} % were answered"
    )


def generator_cpu(evidence: Evidence) -> Finding:
    """CPU time of the load process over the time of the slices, in percent of one core."""
    read = evidence.slices.drop_nulls("generator_cpu_ns")
    span_ns = int((read["drained_ns"] - read["start_ns"]).sum())
    if span_ns <= 0:
        return Finding(None, GENERATOR_LIMIT_PERCENT, ok=True, note=NO_METER)
    percent = 100 * float(read["generator_cpu_ns"].sum()) / span_ns
    note = f"the load generator used {percent:.0f} % of its core: it may be what was measured"
    return Finding(percent, GENERATOR_LIMIT_PERCENT, percent < GENERATOR_LIMIT_PERCENT, note)


def request_count(evidence: Evidence) -> Finding:
    """The server's own count of requests less the client's; every slice must agree to the request."""
    counted = evidence.slices.drop_nulls("server_requests")
    if counted.is_empty():
        return Finding(None, 0.0, ok=True, note="not measured: this server does not count its requests")
    apart = int((counted["server_requests"] - counted["client_requests"]).abs().sum())
    return Finding(float(apart), 0.0, apart == 0, f"client and server disagree by {apart} requests")


def equal_bytes(evidence: Evidence) -> Finding:
    """How far the body's size is from what is usual for equal requests, in percent.

    Usual is the median of all contestants; of two, neither is usual, so each is held against the other.
    """
    sizes = evidence.peers.group_by("contestant", "variant").agg(
        size=pl.col("body_bytes").sum() / pl.col("answered").sum()
    )
    mine = sizes.filter(pl.col("contestant") == evidence.contestant)
    others = sizes if sizes["contestant"].n_unique() > 2 else sizes.filter(~_is(evidence.contestant))
    both = mine.join(others.group_by("variant").agg(usual=pl.col("size").median()), on="variant")
    if both.is_empty():
        return Finding(
            None, BYTES_LIMIT_PERCENT, ok=True, note="not measured: no answer that two servers gave"
        )
    apart = (both["size"] - both["usual"]).abs() / both["usual"].clip(lower_bound=1)
    percent = 100 * float(apart.to_numpy().max())
    note = f"bodies differ by up to {percent:.1f} %"
    return Finding(percent, BYTES_LIMIT_PERCENT, percent <= BYTES_LIMIT_PERCENT, note)


def _is(contestant: str) -> pl.Expr:
    return pl.col("contestant") == contestant


def keep_alive(evidence: Evidence) -> Finding:
    """Connections opened beyond the plan.

    Planned for a server that keeps them: as many as there are users (and one for the counts), once a round. For
    one that closes them: one for each request.
    """
    requests = int(evidence.slices["client_requests"].sum())
    opened = int(evidence.slices["connections"].sum())
    if evidence.run.keep_alive.get(evidence.contestant, True):
        rounds = evidence.slices["round"].n_unique()
        most = rounds * (int(evidence.slices["concurrency"].to_numpy().max()) + 1)
        note = f"{opened} connections were opened for {requests} requests where {most} would do"
        return Finding(float(opened), float(most), opened <= most, note)
    note = f"{opened} connections for {requests} requests; this server was to close each of them"
    return Finding(float(opened), float(requests), opened >= requests, note)


def littles_law(evidence: Evidence) -> Finding:
    """Closed loop: mean concurrency = throughput x mean time (Little 1961), in percent of the users there were.

    From the first request to the stop every user waits for an answer but for the client's own time between two
    requests. More than that can't be; much less means that time, or a request, was lost at the client.
    """
    closed = evidence.only("closed").drop_nulls("had_ns")
    had_ns = int(closed["had_ns"].sum())
    if had_ns == 0:
        return Finding(
            None, LITTLE_LIMIT_PERCENT, ok=True, note="not measured: no closed loop that took time"
        )
    percent = 100 * int(closed["used_ns"].sum()) / had_ns - 100
    note = f"the times of the requests add up to {percent:+.1f} % of what the users had"
    return Finding(percent, LITTLE_LIMIT_PERCENT, abs(percent) <= LITTLE_LIMIT_PERCENT, note)


def send_lag(evidence: Evidence) -> Finding:
    """Open loop: p95 of how late the generator itself sent, in ms, against half the service p95 or 1 ms.

    Where there are too few answers for p95, and so p50 alone is reported, p50 is judged.
    """
    tail = _lag(evidence, "p95", "one request in twenty")
    return tail if tail.value is not None else _lag(evidence, "p50", "every second request")


def send_lag_tail(evidence: Evidence) -> Finding:
    """The same at p99: where it is large, p99 and beyond measure the generator; the rest may be sound."""
    return _lag(evidence, "p99", "one request in a hundred")


def _lag(evidence: Evidence, name: str, share: str) -> Finding:
    """The median over rounds of the lag's percentile, against that of the service time's same percentile."""
    pools = evidence.pools.drop_nulls([f"lag_{name}_ms", f"service_{name}_ms"])
    if pools.is_empty():
        return Finding(None, None, ok=True, note=f"not measured: no open loop with enough answers for {name}")
    lag_ms = float(np.median(pools[f"lag_{name}_ms"].to_numpy()))
    service_ms = float(np.median(pools[f"service_{name}_ms"].to_numpy()))
    limit_ms = max(LAG_FLOOR_MS, LAG_SHARE * service_ms)
    return Finding(lag_ms, limit_ms, lag_ms <= limit_ms, f"{share} was sent {lag_ms:.2f} ms late or more")


def steal(evidence: Evidence) -> Finding:
    """How many of the slices were set aside because the hypervisor took too much CPU time, in percent."""
    read = evidence.slices.drop_nulls("steal_ms")
    if read.is_empty():
        return Finding(None, ASIDE_LIMIT_PERCENT, ok=True, note=NO_METER)
    aside = int(read["aside"].sum())
    percent = 100 * aside / read.height
    limit = evidence.run.steal_limit_percent
    note = f"{aside} of {read.height} slices set aside: other machines took more than {limit:g} % of their CPU time"
    return Finding(percent, ASIDE_LIMIT_PERCENT, percent <= ASIDE_LIMIT_PERCENT, note if aside else "")


GATES: Mapping[str, Callable[[Evidence], Finding]] = {
    "error_rate": error_rate,
    "unfinished": unfinished,
    "achieved_rate": achieved_rate,
    "generator_cpu": generator_cpu,
    "request_count": request_count,
    "bytes": equal_bytes,
    "keep_alive": keep_alive,
    "littles_law": littles_law,
    "send_lag": send_lag,
    "send_lag_tail": send_lag_tail,
    "steal": steal,
}
