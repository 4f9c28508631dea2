"""Gates on the answers (complete, counted, the same from all contestants) and on connections."""

import polars as pl

from loadtests.analysis.digest import KINDS
from loadtests.analysis.evidence import Evidence, Inspection, not_checked

ERROR_LIMIT_PERCENT = 0.1
BYTES_LIMIT_PERCENT = 1.0
UNANSWERED = ("connect", "reset", "timeout", "malformed")


def error_rate(evidence: Evidence) -> Inspection:
    """Failures of any kind, in percent of the requests, those of the warm-ups included."""
    slices, warm = evidence.slices, evidence.slices.drop_nulls("warmup_failures")
    requests = int(slices["requests"].sum()) + int(warm["warmup_requests"].sum())
    if requests == 0:
        return not_checked(ERROR_LIMIT_PERCENT, "not measured: no request was sent")
    failed = {name: int(slices[name].sum()) for name in KINDS.values()}
    failed["in a warm-up"] = int(warm["warmup_failures"].sum())
    percent = 100 * sum(failed.values()) / requests
    kinds = sorted(failed.items(), key=lambda kind: -kind[1])
    text = ", ".join(f"{count} x {name}" for name, count in kinds if count)
    return Inspection(percent, ERROR_LIMIT_PERCENT, percent < ERROR_LIMIT_PERCENT, text and f"failed: {text}")


def unfinished(evidence: Evidence) -> Inspection:
    """Requests that got no complete answer, left no record or were planned and never sent; there must be none."""
    slices = evidence.slices
    unanswered = sum(int(slices[name].sum()) for name in UNANSWERED)
    begun = slices["client_requests"].cast(pl.Int64) - slices["warmup_requests"]
    lost = int((begun - slices["requests"]).clip(lower_bound=0).sum())
    unsent = int((slices["planned_requests"] - begun).clip(lower_bound=0).sum())
    note = f"{unanswered} requests got no complete answer, {lost} left no record, {unsent} were not sent"
    return Inspection(float(unanswered + lost + unsent), 0.0, unanswered + lost + unsent == 0, note)


def request_count(evidence: Evidence) -> Inspection:
    """The server's own count of requests less the client's; in every slice the two must be equal."""
    counted = evidence.slices.drop_nulls("server_requests")
    if counted.is_empty():
        return not_checked(0.0, "not measured: this server does not count its requests")
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
        return not_checked(BYTES_LIMIT_PERCENT, "not measured: no request that two servers answered")
    apart = (both["size"] - both["usual"]).abs() / both["usual"].clip(lower_bound=1)
    percent = 100 * float(apart.to_numpy().max())
    note = f"bodies differ by up to {percent:.1f} %"
    return Inspection(percent, BYTES_LIMIT_PERCENT, percent <= BYTES_LIMIT_PERCENT, note)


def _is(contestant: str) -> pl.Expr:
    return pl.col("contestant") == contestant


def same_answers(evidence: Evidence) -> Inspection:
    """How many kept answers differ from what other contestants answered to the same request; there must be none.

    Kept are answers to measured requests drawn at random, the same of all contestants. What may differ, such as ids
    that the server gives, is named in the catalog (`varies`).
    """
    answers = evidence.answers
    total, differing = int(answers["compared"].sum()), int(answers["differing"].sum())
    if total == 0:
        return not_checked(0.0, "not measured: no kept answer that another contestant gave too")
    examples = answers.filter(pl.col("differing") > 0)["example"].to_list()
    note = f"{differing} of {total} answers differ from another contestant's"
    note = f"{note}, first at {examples[0]}" if examples else ""
    return Inspection(float(differing), 0.0, differing == 0, note)


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
