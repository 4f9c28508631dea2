"""The gates: no number without them. Each is a function of the samples; what it finds is a value, never an exception.

A gate looks at one contestant in one scenario. A failed one makes that cell invalid; the number stays visible.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadtests.observe import CELL, join_slices
from loadtests.samples import Failure, Samples
from loadtests.summary import GateResult, RunInfo

ERROR_LIMIT_PERCENT = 0.1
ACHIEVED_LIMIT_PERCENT = 99.5
GENERATOR_LIMIT_PERCENT = 80.0
BYTES_LIMIT_PERCENT = 1.0
LITTLE_LIMIT_PERCENT = 5.0
LAG_FLOOR_MS = 1.0
LAG_QUANTILE, LAG_SHARE = 0.95, 0.5  # p95 of the lag may be half of the p95 of the service time
NO_METER = "not measured: no slice with a reading"

LOOPS: Mapping[str, tuple[str, ...]] = {
    "achieved_rate": ("open",),
    "send_lag": ("open",),
    "littles_law": ("closed",),
}
"""The loop whose metrics a gate is about; one that is not named here is about both."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a gate looks at: one contestant's rows in one scenario, and the run they belong to.

    peers: how large the answers to each variant of a request were on average, of all contestants in that scenario.
    """

    requests: pl.DataFrame
    slices: pl.DataFrame
    peers: pl.DataFrame
    run: RunInfo
    contestant: str

    def only(self, mode: str) -> pl.DataFrame:
        """The requests of the slices of one mode."""
        return self.requests.filter(pl.col("mode") == mode)


@dataclass(frozen=True, slots=True)
class Finding:
    """The value found, the limit it is held against, and whether it passes. value None: not measured, see note."""

    value: float | None
    limit: float | None
    ok: bool
    note: str = ""


def inspect(samples: Samples, run: RunInfo) -> list[GateResult]:
    """Every gate on every contestant of every scenario, in the order of the data."""
    requests = join_slices(samples)
    return [
        GateResult(scenario, contestant, gate, found.value, found.limit, found.ok, found.note)
        for (scenario, contestant), evidence in _evidence(samples, requests, run)
        for gate, look in GATES.items()
        for found in [look(evidence)]
    ]


Reasons = Mapping[tuple[str, str, str], tuple[str, ...]]


def reasons(results: Sequence[GateResult]) -> Reasons:
    """(scenario, contestant, loop) -> why the metrics of that loop must not be trusted, in plain words."""
    failed: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for one in results:
        for loop in () if one.ok else LOOPS.get(one.gate, ("closed", "open")):
            key = (one.scenario, one.contestant, loop)
            failed[key] = (*failed.get(key, ()), f"{one.gate}: {one.note}")
    return failed


def _evidence(
    samples: Samples, requests: pl.DataFrame, run: RunInfo
) -> Iterator[tuple[tuple[str, str], Evidence]]:
    by_cell = requests.partition_by(CELL, as_dict=True)
    sizes = _body_sizes(requests)
    by_scenario = sizes.partition_by("scenario", as_dict=True)
    for key, slices in samples.slices.partition_by(CELL, as_dict=True, maintain_order=True).items():
        scenario, contestant = str(key[0]), str(key[1])
        rows = by_cell.get(key, requests.clear())
        peers = by_scenario.get((scenario,), sizes.clear())
        yield (scenario, contestant), Evidence(rows, slices, peers, run, contestant)


def _body_sizes(requests: pl.DataFrame) -> pl.DataFrame:
    answered = requests.filter(pl.col("failure") == Failure.NONE)
    return answered.group_by(*CELL, "variant").agg(pl.col("body_bytes").mean())


def error_rate(evidence: Evidence) -> Finding:
    """Failures of any kind, in percent of the requests."""
    if evidence.requests.is_empty():
        return Finding(None, ERROR_LIMIT_PERCENT, ok=True, note="not measured: nothing was asked")
    failed = evidence.requests.filter(pl.col("failure") != Failure.NONE)
    percent = 100 * failed.height / evidence.requests.height
    kinds = failed.group_by("failure").len().sort(-pl.col("len").cast(pl.Int64), "failure").iter_rows()
    told = ", ".join(f"{count} x {Failure(kind).name.lower()}" for kind, count in kinds)
    return Finding(percent, ERROR_LIMIT_PERCENT, percent < ERROR_LIMIT_PERCENT, told and f"failed: {told}")


def achieved_rate(evidence: Evidence) -> Finding:
    """Open loop: answered over scheduled requests, in percent. A scheduled request that was not sent has no answer."""
    scheduled = evidence.only("open")
    if scheduled.is_empty():
        return Finding(None, ACHIEVED_LIMIT_PERCENT, ok=True, note="no open loop")
    percent = 100 * scheduled.filter(pl.col("failure") == Failure.NONE).height / scheduled.height
    return Finding(
        percent, ACHIEVED_LIMIT_PERCENT, percent >= ACHIEVED_LIMIT_PERCENT, f"{percent:.2f} % were answered"
    )


def generator_cpu(evidence: Evidence) -> Finding:
    """CPU time of the load process over the time of the slices, in percent of one core."""
    percent = _percent_of_span(evidence.slices, pl.col("generator_cpu_ns"))
    if percent is None:
        return Finding(None, GENERATOR_LIMIT_PERCENT, ok=True, note=NO_METER)
    note = f"the load generator used {percent:.0f} % of its core: it may be what was measured"
    return Finding(percent, GENERATOR_LIMIT_PERCENT, percent < GENERATOR_LIMIT_PERCENT, note)


def request_count(evidence: Evidence) -> Finding:
    """The server's own count of requests less the client's; every slice must agree to the request."""
    counted = evidence.slices.drop_nulls("server_requests")
    if counted.is_empty():
        return Finding(None, 0.0, ok=True, note="not measured: this server does not count its requests")
    apart = (counted["server_requests"] - counted["client_requests"]).abs().sum()
    return Finding(float(apart), 0.0, apart == 0, f"client and server disagree by {apart} requests")


def equal_bytes(evidence: Evidence) -> Finding:
    """How far the body's size is from the other contestants', for equal requests, in percent."""
    usual = evidence.peers.group_by("variant").agg(usual=pl.col("body_bytes").median())
    mine = evidence.peers.filter(pl.col("contestant") == evidence.contestant).join(usual, on="variant")
    if mine.is_empty():
        return Finding(None, BYTES_LIMIT_PERCENT, ok=True, note="not measured: there is no answer")
    apart = ((mine["body_bytes"] - mine["usual"]).abs() / mine["usual"].clip(lower_bound=1)).max()
    percent = 100 * float(str(apart))
    return Finding(
        percent,
        BYTES_LIMIT_PERCENT,
        percent <= BYTES_LIMIT_PERCENT,
        f"bodies differ by up to {percent:.1f} %",
    )


def keep_alive(evidence: Evidence) -> Finding:
    """Connections opened beyond the plan.

    Planned for a server that keeps them: as many as there are users (and one for the counts), once a round. For
    one that closes them: one for each request.
    """
    requests = int(evidence.slices["client_requests"].sum())
    opened = int(evidence.slices["connections"].sum())
    if evidence.run.keep_alive.get(evidence.contestant, True):
        rounds = evidence.slices["round"].n_unique()
        most = rounds * (int(str(evidence.slices["concurrency"].max())) + 1)
        note = f"{opened} connections were opened for {requests} requests where {most} would do"
        return Finding(float(opened), float(most), opened <= most, note)
    note = f"{opened} connections for {requests} requests; this server was to close each of them"
    return Finding(float(opened), float(requests), opened >= requests, note)


def littles_law(evidence: Evidence) -> Finding:
    """Closed loop: mean concurrency = throughput x mean time. How far the sum of times is from what users had.

    Each user is busy from its first request to its last answer but for the client's own time between two requests, so
    the times add up to the users' busy spans; more than that can't be, much less means lost time at the client.
    """
    closed = evidence.only("closed")
    if closed.is_empty():
        return Finding(None, LITTLE_LIMIT_PERCENT, ok=True, note="no closed loop")
    slices = closed.group_by("round", "slice").agg(
        times=(pl.col("end_ns") - pl.col("sent_ns")).sum(),
        span=pl.col("end_ns").max() - pl.col("sent_ns").min(),
        users=pl.col("concurrency").first(),
    )
    had = float((slices["span"] * slices["users"]).sum())
    if had == 0:
        return Finding(None, LITTLE_LIMIT_PERCENT, ok=True, note="not measured: the requests took no time")
    percent = 100 * float(slices["times"].sum()) / had - 100
    note = f"the times of the requests add up to {percent:+.1f} % of what the users had"
    return Finding(percent, LITTLE_LIMIT_PERCENT, percent <= LITTLE_LIMIT_PERCENT, note)


def send_lag(evidence: Evidence) -> Finding:
    """Open loop: p95 of how late the generator itself sent, in ms, against half the service p95 or 1 ms.

    A delay is the generator's fault only while it has a user free: when all users wait for the server, the request is
    late because the server is, and that is what response times are to show. So the lag counts from the moment when
    the request was due and a user was free to send it.
    """
    scheduled = evidence.only("open")
    answered = scheduled.filter(pl.col("failure") == Failure.NONE)
    if answered.is_empty():
        return Finding(None, None, ok=True, note="no open loop with an answer")
    times_ns = (answered["end_ns"] - answered["sent_ns"]).to_numpy()
    service_ms = float(np.quantile(times_ns, LAG_QUANTILE)) / 1e6
    limit_ms = max(LAG_FLOOR_MS, LAG_SHARE * service_ms)
    lags = [_lags_ns(one) for one in scheduled.partition_by("round", "slice")]
    lag_ms = float(np.quantile(np.concatenate(lags), LAG_QUANTILE)) / 1e6
    return Finding(
        lag_ms, limit_ms, lag_ms <= limit_ms, f"one request in twenty was sent {lag_ms:.2f} ms late"
    )


def _lags_ns(scheduled: pl.DataFrame) -> NDArray[np.int64]:
    """How long after it was due and a user was free each request of one slice was sent.

    Requests are taken in the order in which they fall due. With n users, the one at place i >= n is taken by the user
    that was freed by the (i - n + 1)-th answer, whichever request that answer was to. After a stall of the generator,
    this charges it with the first n requests only; those behind them have waited for an answer as well.
    """
    ordered = scheduled.sort("due_ns", "sent_ns")
    users = int(ordered["concurrency"][0])
    ready_ns = ordered["due_ns"].to_numpy().copy()
    freed_ns = np.sort(ordered["end_ns"].to_numpy())
    ready_ns[users:] = np.maximum(ready_ns[users:], freed_ns[:-users])
    lags_ns: NDArray[np.int64] = np.maximum(ordered["sent_ns"].to_numpy() - ready_ns, 0)
    return lags_ns


def steal(evidence: Evidence) -> Finding:
    """CPU time taken by the hypervisor while the slices ran, in percent of all CPUs."""
    limit = evidence.run.steal_limit_percent
    percent = steal_percent(evidence.slices, evidence.run.cpus)
    if percent is None:
        return Finding(None, limit, ok=True, note=NO_METER)
    return Finding(percent, limit, percent <= limit, f"other machines took {percent:.0f} % of the CPU time")


def steal_percent(slices: pl.DataFrame, cpus: int) -> float | None:
    """Stolen time over the time of the slices, in percent of all CPUs; None: not measured."""
    return _percent_of_span(slices, pl.col("steal_ms") * 1e6 / cpus)


def _percent_of_span(slices: pl.DataFrame, spent_ns: pl.Expr) -> float | None:
    """Time spent over the time of the slices whose meter was read; None without any."""
    rows = slices.select(spent=spent_ns, span=pl.col("drained_ns") - pl.col("start_ns")).drop_nulls()
    span_ns = int(rows["span"].sum())
    return 100 * float(rows["spent"].sum()) / span_ns if span_ns > 0 else None


GATES: Mapping[str, Callable[[Evidence], Finding]] = {
    "error_rate": error_rate,
    "achieved_rate": achieved_rate,
    "generator_cpu": generator_cpu,
    "request_count": request_count,
    "bytes": equal_bytes,
    "keep_alive": keep_alive,
    "littles_law": littles_law,
    "send_lag": send_lag,
    "steal": steal,
}
