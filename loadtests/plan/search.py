"""The search for a server's capacity: its rules, its steps and its result. Pure."""

from collections.abc import Mapping
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
PAUSES = (
    3  # of the server that a step spans: one with none or one of them shows either too little or too much
)
OVERLOAD, RELIEF = 1.5, 0.5  # rates of the surge, as fractions of the capacity
RELIEF_TIMES = 2.5  # the relief's length over the overload's; an ideal queue needs 1

Rule = Literal["second try", "two of three"]
TRIES: Mapping[Rule, int] = {"second try": 2, "two of three": 3}
"""How often a step is tried at most: one that fails a second time, which decides; or until two tries agree."""

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

    rule: what decides whether a rate passes (runs of version 0.2 and before: the second try). pauses: how many full
    garbage collections of the server a step spans, where it reports them; such a step lasts `pause_limit_s` at most.
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
    rule: Rule = "second try"
    pauses: int = 0
    pause_limit_s: float = 15.0

    def duration_s(self, rate_rps: float, between_pauses: float | None = None) -> float:
        """How long a step of that rate lasts; between_pauses: requests from one pause to the next, None: not known."""
        enough_s = min(max(self.step_s, ENOUGH * ANSWERS_NEEDED / rate_rps), self.step_limit_s)
        spanning_s = self.pauses * (between_pauses or 0.0) / rate_rps
        return max(enough_s, min(spanning_s, self.pause_limit_s))

    def can_judge(self, rate_rps: float) -> bool:
        """Whether a step of that rate can give enough answers for a p99."""
        return rate_rps * self.step_limit_s >= ENOUGH * ANSWERS_NEEDED

    def is_met(self, outcome: Outcome) -> bool:
        """Whether the step kept to the SLO: p99 of the response time below it, and next to no errors."""
        quick = outcome.p99_ms is not None and outcome.p99_ms < self.slo_ms
        return quick and outcome.error_percent < ERROR_LIMIT_PERCENT

    def fractions(self, top_rps: float) -> list[float]:
        """The rungs that give enough answers, as fractions of the closed loop's throughput; 1 if none does."""
        return [one for one in self.rungs if self.can_judge(one * top_rps)] or [1.0]

    @property
    def most_steps(self) -> int:
        """No search has more steps than this."""
        return 3 + TRIES[self.rule] * (len(self.rungs) + RAISES + LOWERS + self.bisections)


@dataclass(frozen=True, slots=True)
class Step:
    """A period of load: closed loop without a rate, open with one; `again`: not the first try at this rate.

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

    passing_rps is the highest rate that met the SLO; `failing_rps` the lowest above it that did not, and `failure` what
    it showed. The capacity is their geometric mean; under the rule of the second try, `passing_rps`.
    """

    capacity_rps: float | None
    failing_rps: float | None
    reason: str = ""
    cause: Cause | None = None
    passing_rps: float | None = None
    failure: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Saturation:
    """What the closed loop showed: its throughput, and requests from one pause to the next (None: not known)."""

    throughput_rps: float
    between_pauses: float | None = None


def surge_s(search: Search) -> float:
    """How long the overload lasts; the relief after it lasts RELIEF_TIMES as long."""
    return max(1.0, search.step_s)
