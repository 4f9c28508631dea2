"""Gates on the answers (complete, counted, of equal size), on connections, and on stolen CPU time."""

import polars as pl

from loadtests.analysis.digest import KINDS
from loadtests.analysis.evidence import NO_METER, Evidence, Inspection

ERROR_LIMIT_PERCENT = 0.1
BYTES_LIMIT_PERCENT = 1.0
ASIDE_LIMIT_PERCENT = 50.0
UNANSWERED = ("connect", "reset", "timeout", "malformed")


def error_rate(evidence: Evidence) -> Inspection:
    """Failures of any kind, in percent of the requests."""
    requests = int(evidence.slices["requests"].sum())
    if requests == 0:
        return Inspection(None, ERROR_LIMIT_PERCENT, ok=True, note="not measured: no request was sent")
    failed = {name: int(evidence.slices[name].sum()) for name in KINDS.values()}
    percent = 100 * sum(failed.values()) / requests
    kinds = sorted(failed.items(), key=lambda kind: -kind[1])
    text = ", ".join(f"{count} x {name}" for name, count in kinds if count)
    return Inspection(percent, ERROR_LIMIT_PERCENT, percent < ERROR_LIMIT_PERCENT, text and f"failed: {text}")


def unfinished(evidence: Evidence) -> Inspection:
    """Requests that got no complete answer or left no record; there must be none."""
    slices = evidence.slices
    unanswered = sum(int(slices[name].sum()) for name in UNANSWERED)
    begun = slices["client_requests"].cast(pl.Int64) - slices["warmup_requests"]
    lost = int((begun - slices["requests"]).clip(lower_bound=0).sum())
    note = f"{unanswered} requests got no complete answer, {lost} left no record"
    return Inspection(float(unanswered + lost), 0.0, unanswered + lost == 0, note)


def request_count(evidence: Evidence) -> Inspection:
    """The server's own count of requests less the client's; in every slice the two must be equal."""
    counted = evidence.slices.drop_nulls("server_requests")
    if counted.is_empty():
        return Inspection(None, 0.0, ok=True, note="not measured: this server does not count its requests")
    apart = int((counted["server_requests"] - counted["client_requests"]).abs().sum())
    return Inspection(float(apart), 0.0, apart == 0, f"client and server disagree by {apart} requests")


def equal_bytes(evidence: Evidence) -> Inspection:
    """How far the body's size is from what is usual for equal requests, in percent; refusals may differ in their words.

    Usual is the median of all contestants; where there are only two, each is compared with the other.
    """
    succeeded = evidence.peers.filter(pl.col("succeeded") > 0)
    sizes = succeeded.group_by("contestant", "variant").agg(
        size=pl.col("body_bytes").sum() / pl.col("succeeded").sum()
    )
    own = sizes.filter(pl.col("contestant") == evidence.contestant)
    compared = sizes if sizes["contestant"].n_unique() > 2 else sizes.filter(~_is(evidence.contestant))
    both = own.join(compared.group_by("variant").agg(usual=pl.col("size").median()), on="variant")
    if both.is_empty():
        return Inspection(
            None, BYTES_LIMIT_PERCENT, ok=True, note="not measured: no request that two servers answered"
        )
    apart = (both["size"] - both["usual"]).abs() / both["usual"].clip(lower_bound=1)
    percent = 100 * float(apart.to_numpy().max())
    note = f"bodies differ by up to {percent:.1f} %"
    return Inspection(percent, BYTES_LIMIT_PERCENT, percent <= BYTES_LIMIT_PERCENT, note)


def _is(contestant: str) -> pl.Expr:
    return pl.col("contestant") == contestant


def keep_alive(evidence: Evidence) -> Inspection:
    """Connections opened beyond the plan.

    Planned for a server that keeps them: as many as there are users (and one for the counts), once per round. For
    one that closes them: one for each request.
    """
    requests = int(evidence.slices["client_requests"].sum())
    opened = int(evidence.slices["connections"].sum())
    if evidence.run.keep_alive.get(evidence.contestant, True):
        rounds = evidence.slices["round"].n_unique()
        most = rounds * (int(evidence.slices["concurrency"].to_numpy().max()) + 1)
        note = f"{opened} connections were opened for {requests} requests where {most} would have been enough"
        return Inspection(float(opened), float(most), opened <= most, note)
    note = f"{opened} connections for {requests} requests; this server should close each after one answer"
    return Inspection(float(opened), float(requests), opened >= requests, note)


def steal(evidence: Evidence) -> Inspection:
    """How many of the slices were set aside because the hypervisor took too much CPU time, in percent."""
    read = evidence.slices.drop_nulls("steal_ms")
    if read.is_empty():
        return Inspection(None, ASIDE_LIMIT_PERCENT, ok=True, note=NO_METER)
    aside = int(read["aside"].sum())
    percent = 100 * aside / read.height
    limit = evidence.run.steal_limit_percent
    note = f"{aside} of {read.height} slices set aside: other machines took more than {limit:g} % of their CPU time"
    return Inspection(percent, ASIDE_LIMIT_PERCENT, percent <= ASIDE_LIMIT_PERCENT, note if aside else "")
