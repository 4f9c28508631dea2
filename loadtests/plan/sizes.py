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
    """The slices of one scenario in a trial round, with the requests and rates that they lack.

    trial_rps: contestant -> requests/s in its warm-up; one that answered nothing sets no size. cycle: the number of
    requests of which each slice is a multiple. Open slices are left out where nobody answers.
    """
    slowest_rps = min((rps for rps in trial_rps.values() if rps > 0), default=0.0)
    return [_sized(one, slowest_rps, cycle) for one in slices if one.mode == "closed" or slowest_rps]


def whole(requests: float, cycle: int, least: int = 1) -> int:
    """The nearest multiple of the cycle that is no less than `least`."""
    return cycle * max(ceil(least / cycle), round(requests / cycle))


def _sized(one: Slice, slowest_rps: float, cycle: int) -> Slice:
    if one.mode == "closed":
        return replace(one, requests=whole(slowest_rps * one.duration_s, cycle, 2 * one.concurrency))
    rate_rps = (one.load or 0.0) * slowest_rps
    return replace(one, rate_rps=rate_rps, requests=whole(rate_rps * one.duration_s, cycle))
