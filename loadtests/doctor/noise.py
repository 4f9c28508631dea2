"""The noise of this machine: a server without a framework against a second launch of itself, round by round."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from loadtests.analysis.estimates import FloatArray
from loadtests.config.contestants import twin
from loadtests.config.selection import Options, select
from loadtests.doctor.forecast import AaSpread, Forecast, forecast
from loadtests.machine.environment import open_environment
from loadtests.plan import budget
from loadtests.runs.paired_study import closed_plan, log_ratios, rounds
from loadtests.samples.store import RunStore

CONTESTANT, SCENARIO = "raw-asgi-uvicorn", "ping"
ROUNDS, BLOCKS = 5, 11
"""About 25 s: 2.5 s per round to launch both and the load, 0.24 s per block."""

PAIR, PAIRS_SCENARIO = ("flask-gthread", "fastapi-uvicorn"), "item-read"
RUNS = (("quick", 300.0), ("standard", 600.0), ("standard", 1800.0))
"""The runs that are forecast: profile, seconds in all."""


def measure(
    rounds: int = ROUNDS, blocks: int = BLOCKS, on_round: Callable[[int], None] = lambda _: None
) -> list[FloatArray]:
    """Log ratios of CPU time per request between two equal servers: shape (blocks,) per round; needs no database.

    Raises ServerError or LoadError when a round can't be measured.
    """
    measured = []
    for number, ratios in enumerate(_rounds(rounds, blocks), 1):
        measured.append(ratios)
        on_round(number)
    return measured


def forecasts(spread: AaSpread) -> list[Forecast]:
    """What runs of PAIR on one scenario would see, as `bench` would plan them; without those that are too short."""
    found = (_forecast(spread, profile, budget_s) for profile, budget_s in RUNS)
    return [one for one in found if one]


def _forecast(spread: AaSpread, profile: str, budget_s: float) -> Forecast | None:
    options = Options(profile=profile, contestants=PAIR, scenarios=(PAIRS_SCENARIO,), budget_s=budget_s)
    chosen = select(options)
    plan = budget.fitted(chosen.profile, options.seed, chosen.contestants, chosen.scenarios, chosen.claims)
    return forecast(spread, plan, budget.round_s(plan), budget_s - budget.REPORT_S)


def _rounds(count: int, blocks: int) -> Iterator[FloatArray]:
    (one,) = select(Options(contestants=(CONTESTANT,), scenarios=(SCENARIO,))).contestants
    servers = (one, twin(one))
    plan = closed_plan(servers, blocks)
    with (
        open_environment(plan.seed, needs_database=False) as environment,
        TemporaryDirectory(prefix="sidebyside-") as folder,
    ):
        for digest in rounds(environment, plan, servers, count, RunStore(Path(folder))):
            (ratios,) = log_ratios(digest, *(server.name for server in servers))
            yield ratios
