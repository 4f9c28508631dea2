"""The words of a report: metrics, verdicts, enumerations. A number never stands without saying which way is better."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loadtests.config.metrics import METRICS


@dataclass(frozen=True, slots=True)
class Wording:
    """The words for a metric. `better` follows "1.8 x", `does` follows the winner's name."""

    short: str
    better: str
    does: str


WORDINGS: Mapping[str, Wording] = {
    "throughput_rps": Wording("throughput", "more throughput", "answers more requests per second"),
    "cpu_us_per_request": Wording("CPU per request", "less CPU", "needs less CPU per request"),
    "response_p50_ms": Wording("p50", "shorter p50", "responds faster at p50"),
    "response_p95_ms": Wording("p95", "shorter p95", "responds faster at p95"),
    "response_p99_ms": Wording("p99", "shorter p99", "responds faster at p99"),
    "response_p999_ms": Wording("p99.9", "shorter p99.9", "responds faster at p99.9"),
    "private_mib": Wording("memory", "less memory", "uses less memory"),
    "pss_mib": Wording("memory (PSS)", "less memory", "uses less memory"),
    "capacity_at_slo_rps": Wording("capacity", "more capacity", "carries more requests within the SLO"),
}

GATE_MEANINGS: Mapping[str, str] = {
    "error_rate": "failed requests, in % of all, warm-ups included",
    "unfinished": "requests that were never answered, left no record, or were planned and not sent",
    "achieved_rate": "answered requests, in % of those scheduled by the open loop",
    "generator_cpu": "CPU of the load generator, in % of one core: it must not be the bottleneck",
    "load_cpus": "how busy the CPUs of load generator and database were, in %: they must not be the bottleneck",
    "foreign_cpu": "CPU of other programs on the CPUs of the server or of the load, in % of a CPU",
    "request_count": "difference between the server's count of requests and the client's",
    "bytes": "difference in size between its answers and the other servers', in %",
    "same_answers": "answers that differ from another server's to the same request, of those that are kept",
    "keep_alive": "connections opened, compared with the number planned",
    "littles_law": "sum of the request times compared with users x time, in %",
    "send_lag": "how late the load generator sent, in % of the service time, at p50 or p95",
    "send_lag_tail": "the same at p99; a failure affects p99 and above only",
    "steal": "slices set aside because other machines took too much CPU time, in %",
}


def metric_title(metric: str) -> str:
    """The metric's title; its name where it is not one of this version's."""
    known = METRICS.get(metric)
    return known.title if known else metric


def short_metric(metric: str) -> str:
    """A title that fits a column."""
    return WORDINGS[metric].short if metric in WORDINGS else metric_title(metric)


def better(metric: str) -> str:
    """What the winner has: `less CPU`."""
    return WORDINGS[metric].better if metric in WORDINGS else f"better {metric_title(metric)}"


def does(metric: str) -> str:
    """What the winner does: `needs less CPU per request`."""
    return WORDINGS[metric].does if metric in WORDINGS else f"is better at {metric_title(metric)}"


def enumerate_(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(items[:-1]), *items[-1:]) if part)


def count(amount: int, noun: str) -> str:
    """`1 round`, `2 rounds`."""
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"


def is_or_are(amount: int) -> str:
    """The verb of `1 is`, `2 are`."""
    return "is" if amount == 1 else "are"
