"""What one step of a search showed, out of the requests of its slice. Pure."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadtests.samples.facts import SliceFacts
from loadtests.samples.store import Failure

ANSWERS_NEEDED = 500  # five beyond the p99
NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """One step in figures. Response times count from when a request was due, failures are not among them.

    The p99 and the lag's p99 are None below ANSWERS_NEEDED answers, the others where there is no answer. lag_ms: how
    late the generator itself sent, p99. generator_percent: its CPU time, of one core. pauses: full garbage collections
    of the server, None where it can't tell.
    """

    answered: int
    failed: int
    throughput_rps: float = 0.0
    mean_ms: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    lag_ms: float | None = None
    generator_percent: float = 0.0
    pauses: int | None = None

    @property
    def error_percent(self) -> float:
        """Failures in percent of all requests; 100 where no request was sent."""
        requests = self.answered + self.failed
        return 100 * self.failed / requests if requests else 100.0


def outcome_of(requests: pl.DataFrame, facts: SliceFacts) -> Outcome:
    """The outcome of one slice; requests: with the columns of REQUESTS."""
    answers = requests.filter(pl.col("failure") == Failure.NONE)
    failed = requests.height - answers.height
    generator_percent = 100 * facts.generator_cpu_ns / facts.span_ns if facts.span_ns > 0 else 0.0
    if answers.is_empty():
        return Outcome(0, failed, generator_percent=generator_percent, pauses=facts.gen2_count)
    times_ms = (answers["end_ns"] - answers["due_ns"]).to_numpy() / NS_PER_MS
    busy_s = (_last(requests, "end_ns") - _first(requests, "sent_ns")) / 1e9
    enough = answers.height >= ANSWERS_NEEDED
    p50_ms, p95_ms, p99_ms = (float(one) for one in np.quantile(times_ms, (0.5, 0.95, 0.99)))
    lag_ms = (
        float(np.quantile(lags_ns(requests.sort("due_ns", "sent_ns"), facts.concurrency), 0.99)) / NS_PER_MS
    )
    return Outcome(
        answered=answers.height,
        failed=failed,
        throughput_rps=answers.height / busy_s if busy_s > 0 else 0.0,
        mean_ms=float(times_ms.mean()),
        p50_ms=p50_ms,
        p95_ms=p95_ms,
        p99_ms=p99_ms if enough else None,
        lag_ms=lag_ms if enough else None,
        generator_percent=generator_percent,
        pauses=facts.gen2_count,
    )


def lags_ns(ordered: pl.DataFrame, users: int) -> NDArray[np.int64]:
    """How long after it was due and a user was free each request of one open slice was sent; sorted by due and sent.

    A delay is the generator's fault only while it has a user free: when all users wait for the server, the request is
    late because the server is, and response times must show that.

    Of n users, the request at place i >= n is taken by the one that was freed by the (i - n + 1)-th answer, whichever
    request that answer was to. After a stall of the generator, only the first n requests count as its lag; those
    behind them have waited for an answer as well.
    """
    ready_ns: NDArray[np.int64] = ordered["due_ns"].to_numpy().copy()
    freed_ns = np.sort(ordered["end_ns"].to_numpy())
    ready_ns[users:] = np.maximum(ready_ns[users:], freed_ns[:-users])
    lags: NDArray[np.int64] = np.maximum(ordered["sent_ns"].to_numpy() - ready_ns, 0)
    return lags


def _first(frame: pl.DataFrame, column: str) -> int:
    return int(frame[column].to_numpy().min())


def _last(frame: pl.DataFrame, column: str) -> int:
    return int(frame[column].to_numpy().max())
