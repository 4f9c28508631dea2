"""Points of the study of waiting: what waiting alone would allow, and what was measured. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from loadtests.analysis.histograms import needed_samples
from loadtests.config.contestants import Contestant
from loadtests.plan.search import GENERATOR_LIMIT_PERCENT

WAIT_MS = 50.0  # of every request


@dataclass(frozen=True, slots=True)
class Server:
    """A contestant, and how many requests it lets wait at once; None: as many as there are connections."""

    contestant: Contestant
    slots: int | None

    def at_once(self, users: int) -> int:
        """How many of the users' requests can wait at the same time."""
        return users if self.slots is None else min(users, self.slots)

    def most_rps(self, users: int) -> float:
        """The throughput that waiting allows, were all else free."""
        return self.at_once(users) / WAIT_MS * 1000

    def least_ms(self, users: int) -> float:
        """The response time in a closed loop at that throughput (Little 1961)."""
        return users / self.at_once(users) * WAIT_MS


@dataclass(frozen=True, slots=True)
class Window:
    """What came of one slice once it had settled: responses per second, and their times in milliseconds.

    cpu_us: the server's CPU time per request, over the whole slice; None where it can't be read.
    """

    server: str
    users: int
    rps: float
    times_ms: tuple[float, ...]
    failed: int
    cpu_us: float | None
    generator_percent: float


@dataclass(frozen=True, slots=True)
class Point:
    """One server with so many users, all rounds pooled. None: not measured; `note` says why, or what is to be known.

    most_rps, least_ms: what waiting allows. lowest_rps, highest_rps: of the rounds.
    """

    server: str
    users: int
    most_rps: float
    least_ms: float
    rps: float | None = None
    lowest_rps: float | None = None
    highest_rps: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    cpu_us: float | None = None
    answered: int = 0
    failed: int = 0
    note: str = ""


def pooled(server: Server, users: int, seen: Sequence[Window], note: str = "") -> Point:
    """All rounds of one server and number of users; without any, the note says why."""
    bare = Point(server.contestant.name, users, server.most_rps(users), server.least_ms(users), note=note)
    if not seen:
        return bare
    times_ms = np.array([time_ms for one in seen for time_ms in one.times_ms])
    rates, costs_us = [one.rps for one in seen], [one.cpu_us for one in seen if one.cpu_us is not None]
    return replace(
        bare,
        rps=float(np.mean(rates)),
        lowest_rps=min(rates),
        highest_rps=max(rates),
        p50_ms=_quantile(times_ms, 0.5),
        p99_ms=_quantile(times_ms, 0.99),
        cpu_us=float(np.mean(costs_us)) if costs_us else None,
        answered=len(times_ms),
        failed=sum(one.failed for one in seen),
        note=_remark(seen),
    )


def _quantile(times_ms: "np.ndarray[Any, Any]", quantile: float) -> float | None:
    return float(np.quantile(times_ms, quantile)) if len(times_ms) >= needed_samples(quantile) else None


def _remark(seen: Sequence[Window]) -> str:
    failed, busiest = sum(one.failed for one in seen), max(one.generator_percent for one in seen)
    remarks = [f"{failed} requests failed"] if failed else []
    if busiest >= GENERATOR_LIMIT_PERCENT:
        remarks.append(f"the load generator used {busiest:.0f} % of its core, so the server may carry more")
    return "; ".join(remarks)
