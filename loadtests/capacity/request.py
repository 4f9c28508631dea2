"""What a capacity run is asked for, and the searches and rounds that follow from it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from loadtests.config.profiles import Arrivals
from loadtests.config.selection import CATALOG, Options, Selection, select
from loadtests.errors import SuiteError
from loadtests.plan.budget import LAUNCH_EACH_S, LAUNCH_S, REPORT_S, ROUNDS_WANTED
from loadtests.plan.rounds import Round
from loadtests.plan.search import RELIEF_TIMES, Search, surge_s

SLO_MS_MOST = 1000.0
STEP_SLOS = 20  # a step lasts as many SLOs: it can't see an overload that is smaller than 1 / 20
STEP_S_LEAST, STEP_S_MOST = 0.4, 3.0
TYPICAL_STEPS = 20  # closed loop, eight rungs, five of the bisection, second tries
GAP_S = 0.15  # around a step: draining, the counts before and after


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for; `step_s` follows from the budget (see `fitted`)."""

    contestants: tuple[str, ...]
    scenarios: tuple[str, ...]
    slo_ms: float
    arrivals: Arrivals
    budget_s: float
    seed: int
    step_s: float = 0.0
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
        Search(scenario.name, one.name, request.slo_ms, request.seed, request.arrivals, step_s=request.step_s)
        for scenario in selection.scenarios
        for one in selection.contestants
        if one.answers(scenario.name)
    )


def round_of(searches: Sequence[Search], seed: int, index: int) -> Round:
    """Round `index`: all searches; the order of launches is drawn from (seed, index)."""
    order = np.random.default_rng((seed, index)).permutation(len(searches))
    return Round(index, (), tuple(searches[place] for place in order))


def fitted(request: Request, selection: Selection) -> Request:
    """The request with steps as long as let ROUNDS_WANTED rounds fit into its budget, within bounds that the SLO sets.

    SuiteError: the SLO is too long for steps of bearable length.
    """
    if request.slo_ms > SLO_MS_MOST:
        raise SuiteError(f"an SLO is {SLO_MS_MOST / 1000:g}s at most, not {request.slo_ms / 1000:g}s")
    least_s = max(STEP_S_LEAST, STEP_SLOS * request.slo_ms / 1000)
    wanted_s = (request.budget_s - REPORT_S) / ROUNDS_WANTED
    lengths = np.arange(max(STEP_S_MOST, least_s), least_s, -0.1)
    searches = searches_of(request, selection)
    fitting = (
        float(step_s)
        for step_s in lengths
        if round_s([replace(one, step_s=step_s) for one in searches]) <= wanted_s
    )
    return replace(request, step_s=round(next(fitting, least_s), 3))


def round_s(searches: Sequence[Search]) -> float:
    """About how long a round takes, launches included, where rates are high enough for steps of `step_s`."""
    launched = {search.contestant for search in searches}
    return LAUNCH_S + LAUNCH_EACH_S * len(launched) + sum(map(_search_s, searches))


def _search_s(search: Search) -> float:
    gaps_s = GAP_S + search.warmup_s
    return TYPICAL_STEPS * (search.step_s + gaps_s) + (1 + RELIEF_TIMES) * surge_s(search)
