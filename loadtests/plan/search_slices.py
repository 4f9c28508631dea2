"""From searches to slices: every turn holds one slice of each unfinished search, in a new random order. Pure."""

import zlib
from collections.abc import Sequence

import numpy as np

from loadtests.plan.rounds import Mode, Round, Slice
from loadtests.plan.search import OVERLOAD, RELIEF, RELIEF_TIMES, Search, Step
from loadtests.plan.search_procedure import OngoingSearch


def turn(
    round_: Round, searches: Sequence[OngoingSearch], number: int, first_index: int
) -> list[tuple[OngoingSearch, Slice]]:
    """The slices of turn `number`, with the searches that wait for them; none when all have ended.

    The order is drawn from (round, number) and the seeds of the searches. Slices of one scenario share the seed.
    """
    going = [one for one in searches if one.step is not None]
    rng = np.random.default_rng([round_.index, number, *(one.search.seed for one in going)])
    drawn = [going[place] for place in rng.permutation(len(going))]
    return [
        (one, _slice(one.search, one.step, round_.index, number, first_index + place))
        for place, one in enumerate(drawn)
        if one.step is not None
    ]


def longest_s(search: Search) -> float:
    """An upper bound on a search's time, draining and second tries included."""
    return search.most_steps * (search.step_limit_s + search.warmup_s)


def _slice(search: Search, step: Step, round_index: int, number: int, index: int) -> Slice:
    surge = step.role == "surge"
    return Slice(
        index=index,
        block=number,
        scenario=search.scenario,
        contestant=search.contestant,
        mode=_mode(step),
        duration_s=step.duration_s,
        warmup_s=search.warmup_s,
        concurrency=search.users,
        rate_rps=step.rate_rps,
        seed=_seed(search, round_index, number),
        arrivals=search.arrivals,
        relief_rps=RELIEF / OVERLOAD * (step.rate_rps or 0.0) if surge else 0.0,
        relief_s=RELIEF_TIMES * step.duration_s if surge else 0.0,
    )


def _mode(step: Step) -> Mode:
    if step.role == "surge":
        return "surge"
    return "closed" if step.rate_rps is None else "open"


def _seed(search: Search, round_index: int, number: int) -> int:
    name = zlib.crc32(search.scenario.encode())
    return int(np.random.SeedSequence((search.seed, round_index, name, number)).generate_state(1)[0])
