"""How sharply this machine sees: a server without a framework against a second launch of itself, round by round."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

from loadtests import budget
from loadtests.doctor.forecast import Forecast, Noise, forecast
from loadtests.drive import drive
from loadtests.overhead import log_ratios
from loadtests.plan import TWIN_SUFFIX, make_plan
from loadtests.selection import Wishes, select
from loadtests.servers import cpu_sets, launched
from loadtests.stats import FloatArray

CONTESTANT, SCENARIO = "raw-asgi-uvicorn", "ping"
ROUNDS, BLOCKS = 5, 11
"""About 25 s: 2.5 s a round to launch both and the load, 0.24 s a block."""

PAIR, PAIRS_SCENARIO = ("flask-gthread", "fastapi-uvicorn"), "item-read"
RUNS = (("quick", 300.0), ("standard", 600.0), ("standard", 1800.0))
"""The runs that are forecast: profile, seconds in all."""


def look(
    rounds: int = ROUNDS, blocks: int = BLOCKS, on_round: Callable[[int], None] = lambda _: None
) -> list[FloatArray]:
    """Log ratios of CPU time a request, nothing differing: shape (blocks,) a round; needs no database.

    Raises ServerError or LoadError when a round can't be measured.
    """
    measured = []
    for number, ratios in enumerate(_rounds(rounds, blocks), 1):
        measured.append(ratios)
        on_round(number)
    return measured


def forecasts(noise: Noise) -> list[Forecast]:
    """What runs of PAIR on one scenario would see, as `bench` would plan them; none that are too short."""
    found = (_forecast(noise, profile, budget_s) for profile, budget_s in RUNS)
    return [one for one in found if one]


def _forecast(noise: Noise, profile: str, budget_s: float) -> Forecast | None:
    wishes = Wishes(profile=profile, contestants=PAIR, scenarios=(PAIRS_SCENARIO,), budget_s=budget_s)
    chosen = select(wishes)
    plan = budget.fitted(chosen.profile, wishes.seed, chosen.contestants, chosen.scenarios, chosen.claims)
    return forecast(noise, plan, budget.round_s(plan), budget_s - budget.REPORT_S)


def _rounds(count: int, blocks: int) -> Iterator[FloatArray]:
    chosen = select(Wishes(contestants=(CONTESTANT,), scenarios=(SCENARIO,)))
    (one,) = chosen.contestants
    twin = replace(one, name=one.name + TWIN_SUFFIX)
    plan = make_plan(
        replace(chosen.profile, closed_blocks=blocks, twins=()), 0, (one, twin), chosen.scenarios, ()
    )
    server_cpus, load_cpus = cpu_sets(sorted(os.sched_getaffinity(0)))
    for index in range(count):
        with launched((one, twin), {}, server_cpus) as endpoints:
            measured = drive(plan.round(index, None), plan.scenarios, endpoints, cpus=load_cpus, seed=0)
        yield log_ratios(measured, one.name, twin.name)
