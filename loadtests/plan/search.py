"""The search for a server's capacity: its rules, its steps and its result. Pure."""

from dataclasses import dataclass
from typing import Literal

from loadtests.config.profiles import Arrivals
from loadtests.samples.outcome import ANSWERS_NEEDED, Outcome

RUNGS = (0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0, 1.1)  # fractions of the closed loop's throughput
RAISE, RAISES = 1.25, 4  # beyond a ladder that passes to its top
LOWER, LOWERS = 0.5, 2  # below a ladder that fails from its foot
ENOUGH = (
    1.15  # arrivals planned over answers needed: a Poisson count of 575 falls below 500 once in a thousand
)
ERROR_LIMIT_PERCENT = 0.1
LAG_SHARE = (
    0.2  # of the SLO: a step that failed with the generator later than this says nothing of the server
)
GENERATOR_LIMIT_PERCENT = 80.0
OVERLOAD, RELIEF = 1.5, 0.5  # rates of the surge, as fractions of the capacity
RELIEF_TIMES = 2.5  # the relief's length over the overload's; an ideal queue needs 1

Role = Literal["closed", "rung", "bisection", "surge"]
Cause = Literal[
    "unanswered", "too slow", "never met", "never missed", "generator", "miscounted", "broken off"
]
"""Why a search has no capacity; the last two are found in a replay only."""


@dataclass(frozen=True, slots=True)
class Search:
    """One server in one scenario, and the rules of the search for its capacity.

    users: connections; they bound what is in flight, a request that finds none free is sent late and counts from when
    it was due. step_s: how long a step is at least; one of a low rate lasts until ANSWERS_NEEDED answers can be
    expected, `step_limit_s` at most. resolution: the bisection ends when failing / passing rate is no more than that.
    """

    scenario: str
    contestant: str
    slo_ms: float
    seed: int
    arrivals: Arrivals = "poisson"
    users: int = 64
    step_s: float = 2.0
    step_limit_s: float = 15.0
    warmup_s: float = 0.1
    rungs: tuple[float, ...] = RUNGS
    bisections: int = 5
    resolution: float = 1.02

    def duration_s(self, rate_rps: float) -> float:
        """How long a step of that rate lasts."""
        return min(max(self.step_s, ENOUGH * ANSWERS_NEEDED / rate_rps), self.step_limit_s)

    def can_judge(self, rate_rps: float) -> bool:
        """Whether a step of that rate can give enough answers for a p99."""
        return rate_rps * self.step_limit_s >= ENOUGH * ANSWERS_NEEDED

    def is_met(self, outcome: Outcome) -> bool:
        """Whether the step kept to the SLO: p99 of the response time below it, and next to no errors."""
        quick = outcome.p99_ms is not None and outcome.p99_ms < self.slo_ms
        return quick and outcome.error_percent < ERROR_LIMIT_PERCENT

    @property
    def most_steps(self) -> int:
        """No search has more steps than this."""
        return 2 + 2 * (len(self.rungs) + RAISES + LOWERS + self.bisections)


@dataclass(frozen=True, slots=True)
class Step:
    """A period of load: closed loop without a rate, open with one; `again`: the second try of one that failed.

    fraction: a rung's rate over the closed loop's throughput.
    """

    role: Role
    rate_rps: float | None
    duration_s: float
    fraction: float | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found. capacity_rps None: not measured; `cause` says of which kind that is, and `reason` why.

    capacity_rps is the highest rate that met the SLO; `failing_rps` the lowest above it that did not.
    """

    capacity_rps: float | None
    failing_rps: float | None
    reason: str = ""
    cause: Cause | None = None


def surge_s(search: Search) -> float:
    """How long the overload lasts; the relief after it lasts RELIEF_TIMES as long."""
    return max(1.0, search.step_s)
