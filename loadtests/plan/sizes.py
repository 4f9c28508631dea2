"""How much work a slice is: numbers of requests and arrival rates, fixed by the first round. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil

from loadtests.plan.rounds import Slice


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the first round has fixed for those after it; empty before.

    requests: scenario -> requests of a closed slice. rates: scenario -> arrivals per second of the open slices, the
    same for all contestants. own_rps: scenario -> contestant -> its closed throughput in requests/s.
    """

    requests: Mapping[str, int] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    own_rps: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def sized(slices: Sequence[Slice], trial_rps: Mapping[str, float], cycle: int) -> list[Slice]:
    """The slices of one scenario in a trial round, with the requests that they lack.

    trial_rps: contestant -> requests/s in its warm-up. cycle: the number of requests of which each is a multiple.
    """
    return [
        replace(one, requests=requests(trial_rps, one.duration_s, one.concurrency, cycle)) for one in slices
    ]


def requests(rps: Mapping[str, float], duration_s: float, users: int, cycle: int) -> int:
    """How many take the slowest server that time, two per user at least; one that answered nothing sets no size."""
    return whole(slowest_rps(rps) * duration_s, cycle, 2 * users)


def slowest_rps(rps: Mapping[str, float]) -> float:
    """Of those that answer at all; 0 where none does."""
    return min((one for one in rps.values() if one > 0), default=0.0)


def whole(requests: float, cycle: int, least: int = 1) -> int:
    """The nearest multiple of the cycle that is no less than `least`."""
    return cycle * max(ceil(least / cycle), round(requests / cycle))
