"""What a capacity run is asked for, and the searches and rounds that follow from it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from loadtests.analysis.estimates import MIN_ROUNDS
from loadtests.config.profiles import Arrivals
from loadtests.config.selection import CATALOG, Options, Selection, select
from loadtests.errors import SuiteError
from loadtests.plan.budget import LAUNCH_EACH_S, LAUNCH_S, REPORT_S
from loadtests.plan.rounds import Round
from loadtests.plan.search import PAUSES, RELIEF_TIMES, Search, surge_s

ROUNDS_WANTED = 6
SLO_MS_MOST = 1000.0
STEP_SLOS = 20  # a step lasts as many SLOs: it can't see an overload that is smaller than 1 / 20
STEP_S_LEAST, STEP_S_MOST = 0.4, 3.0
PAUSE_LIMIT_S_MOST = 15.0  # three pauses of the servers at hand, at the rates that they carry
TYPICAL_STEPS = (
    23  # closed loop, eight rungs, four steps of the bisection, second and third tries (simulated)
)
GAP_S = 0.15  # around a step: draining, the counts before and after


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for; `step_s` and `pause_limit_s` follow from the budget (see `fitted`)."""

    contestants: tuple[str, ...]
    scenarios: tuple[str, ...]
    slo_ms: float
    arrivals: Arrivals
    budget_s: float
    seed: int
    step_s: float = 0.0
    pause_limit_s: float = 0.0
    catalog: str = str(CATALOG)


def selected(request: Request) -> Selection:
    """The records of the catalog; CatalogError names what does not exist."""
    return select(
        Options(
            scenarios=request.scenarios,
            contestants=request.contestants,
            seed=request.seed,
            catalog=request.catalog,
        )
    )


def searches_of(request: Request, selection: Selection) -> tuple[Search, ...]:
    """One per scenario and contestant that answers it, in the order of the catalog."""
    return tuple(
        Search(
            scenario.name,
            one.name,
            request.slo_ms,
            request.seed,
            request.arrivals,
            step_s=request.step_s,
            rule="two of three",
            pauses=PAUSES,
            pause_limit_s=request.pause_limit_s,
        )
        for scenario in selection.scenarios
        for one in selection.contestants
        if one.answers(scenario.name)
    )


def round_of(searches: Sequence[Search], seed: int, index: int) -> Round:
    """Round `index`: all searches; the order of launches is drawn from (seed, index)."""
    order = np.random.default_rng((seed, index)).permutation(len(searches))
    return Round(index, (), tuple(searches[place] for place in order))


def fitted(request: Request, selection: Selection) -> Request:
    """The request with steps as long as its budget lets them be, within bounds that the SLO sets.

    ROUNDS_WANTED rounds fit with steps of `step_s`. MIN_ROUNDS rounds fit even if all steps must be longer to span the
    pauses of a server, up to `pause_limit_s`. SuiteError: the SLO is too long for steps of bearable length.
    """
    if request.slo_ms > SLO_MS_MOST:
        raise SuiteError(f"an SLO is {SLO_MS_MOST / 1000:g}s at most, not {request.slo_ms / 1000:g}s")
    least_s = max(STEP_S_LEAST, STEP_SLOS * request.slo_ms / 1000)
    searches, time_s = searches_of(request, selection), request.budget_s - REPORT_S
    step_s = _longest_s(searches, least_s, max(STEP_S_MOST, least_s), time_s / ROUNDS_WANTED)
    pause_limit_s = _longest_s(searches, step_s, max(PAUSE_LIMIT_S_MOST, step_s), time_s / MIN_ROUNDS)
    return replace(request, step_s=step_s, pause_limit_s=pause_limit_s)


def _longest_s(searches: Sequence[Search], least_s: float, most_s: float, wanted_s: float) -> float:
    """The longest steps, between these bounds, with which a round takes no more than `wanted_s`; else the shortest."""
    lengths = (float(one) for one in np.arange(most_s, least_s, -0.1))
    fitting = (
        one for one in lengths if round_s([replace(search, step_s=one) for search in searches]) <= wanted_s
    )
    return round(next(fitting, least_s), 3)


def longest_round_s(searches: Sequence[Search]) -> float:
    """About how long a round takes if every step lasts as long as pauses may demand."""
    return round_s([replace(one, step_s=max(one.step_s, one.pause_limit_s)) for one in searches])


def round_s(searches: Sequence[Search]) -> float:
    """About how long a round takes, launches included, where rates and pauses let steps last `step_s`."""
    launched = {search.contestant for search in searches}
    return LAUNCH_S + LAUNCH_EACH_S * len(launched) + sum(map(_search_s, searches))


def _search_s(search: Search) -> float:
    gaps_s = GAP_S + search.warmup_s
    return TYPICAL_STEPS * (search.step_s + gaps_s) + (1 + RELIEF_TIMES) * surge_s(search)
