"""When requests fall due: arrival times drawn from a seed. Pure."""

from collections.abc import Callable, Mapping, Sequence
from math import ceil

import numpy as np

from loadtests.config.profiles import Arrivals


def poisson_arrivals_ns(
    rate_rps: float, duration_s: float, seed: Sequence[int], requests: int | None = None
) -> list[int]:
    """Arrival times of a Poisson process after its start, ascending; requests: their number, None: drawn as well.

    Given their number, which is Poisson, the arrivals are uniform and independent (Ross, Stochastic Processes, 2.3).
    """
    rng = np.random.default_rng(seed)
    count = rng.poisson(rate_rps * duration_s) if requests is None else requests
    times: list[int] = np.sort(rng.integers(0, max(1, round(duration_s * 1e9)), count)).tolist()
    return times


def constant_arrivals_ns(
    rate_rps: float, duration_s: float, seed: Sequence[int], requests: int | None = None
) -> list[int]:
    """Evenly spaced arrival times after the start, ascending; the first is drawn from within one gap.

    requests: their number; None: as many as come before `duration_s`.
    """
    if rate_rps <= 0:
        return []
    gap_ns, until_ns = 1e9 / rate_rps, round(duration_s * 1e9)
    first_ns = gap_ns * np.random.default_rng(seed).random()
    count = max(0, ceil((until_ns - first_ns) / gap_ns)) if requests is None else requests
    times: list[int] = np.floor(first_ns + gap_ns * np.arange(count)).astype(np.int64).tolist()
    return times


def arrivals_ns(
    kind: Arrivals, rate_rps: float, duration_s: float, seed: Sequence[int], requests: int | None = None
) -> list[int]:
    """Arrival times of that kind, in nanoseconds after the start, ascending: so many, or those before `duration_s`."""
    return ARRIVALS[kind](rate_rps, duration_s, seed, requests)


def surge_ns(
    kind: Arrivals, rates_rps: tuple[float, float], spans_s: tuple[float, float], seed: Sequence[int]
) -> list[int]:
    """Arrival times of two rates in turn, each for its span, without a pause between them."""
    before = arrivals_ns(kind, rates_rps[0], spans_s[0], (*seed, 0))
    after = arrivals_ns(kind, rates_rps[1], spans_s[1], (*seed, 1))
    turn_ns = round(spans_s[0] * 1e9)
    return [*before, *(turn_ns + time_ns for time_ns in after)]


ARRIVALS: Mapping[Arrivals, Callable[[float, float, Sequence[int], int | None], list[int]]] = {
    "poisson": poisson_arrivals_ns,
    "constant": constant_arrivals_ns,
}
