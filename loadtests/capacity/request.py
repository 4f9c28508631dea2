"""What a capacity run is asked for, the rounds that follow from it, and its `run.json`. Pure but for that file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from loadtests.config.profiles import Arrivals
from loadtests.config.selection import CATALOG, Selection, Wishes, select
from loadtests.errors import SuiteError
from loadtests.plan.budget import LAUNCH_EACH_S, LAUNCH_S, REPORT_S, ROUNDS_WANTED
from loadtests.plan.rounds import Round
from loadtests.plan.search import RELIEF_TIMES, Search, surge_s
from loadtests.runs import folder as runs

SLO_MS_MOST = 1000.0
KIND = "capacity"
STEP_SLOS = 20  # a step lasts as many SLOs: it can't see an overload that is smaller than 1 / 20
STEP_S_LEAST, STEP_S_MOST = 0.4, 3.0
TYPICAL_STEPS = 20  # closed loop, eight rungs, five of the bisection, second tries
GAP_S = 0.15  # around a step: draining, the counts before and after


@dataclass(frozen=True, slots=True)
class Aim:
    """What was asked for; `step_s` follows from the budget and is kept so that a report replays the same search."""

    contestants: tuple[str, ...]
    scenarios: tuple[str, ...]
    slo_ms: float
    arrivals: Arrivals
    budget_s: float
    seed: int
    step_s: float = 0.0
    catalog: str = str(CATALOG)

    @property
    def searches(self) -> tuple[Search, ...]:
        """One a scenario and contestant that answers it, in the order of the catalog."""
        chosen = self.selection
        return tuple(
            Search(scenario.name, one.name, self.slo_ms, self.seed, self.arrivals, step_s=self.step_s)
            for scenario in chosen.scenarios
            for one in chosen.contestants
            if one.answers(scenario.name)
        )

    @property
    def selection(self) -> Selection:
        """The records of the catalog; CatalogError names what does not exist."""
        return select(
            Wishes(
                scenarios=self.scenarios, contestants=self.contestants, seed=self.seed, catalog=self.catalog
            )
        )

    def round(self, index: int) -> Round:
        """Round `index`: all searches; the order of launches is drawn from (seed, index)."""
        searches = self.searches
        order = np.random.default_rng((self.seed, index)).permutation(len(searches))
        return Round(index, (), tuple(searches[place] for place in order))

    @property
    def round_s(self) -> float:
        """About how long a round takes, launches included, where rates are high enough for steps of `step_s`."""
        return _round_s(self.searches)


def fitted(aim: Aim) -> Aim:
    """The aim with steps as long as let ROUNDS_WANTED rounds fit into its budget, within bounds that the SLO sets.

    SuiteError: the SLO is too long for steps of bearable length.
    """
    if aim.slo_ms > SLO_MS_MOST:
        raise SuiteError(f"an SLO is {SLO_MS_MOST / 1000:g}s at most, not {aim.slo_ms / 1000:g}s")
    least_s = max(STEP_S_LEAST, STEP_SLOS * aim.slo_ms / 1000)
    wanted_s = (aim.budget_s - REPORT_S) / ROUNDS_WANTED
    lengths = np.arange(max(STEP_S_MOST, least_s), least_s, -0.1)
    searches = aim.searches
    fitting = (
        float(step_s)
        for step_s in lengths
        if _round_s([replace(one, step_s=step_s) for one in searches]) <= wanted_s
    )
    return replace(aim, step_s=round(next(fitting, least_s), 3))


def _round_s(searches: Sequence[Search]) -> float:
    launched = {search.contestant for search in searches}
    return LAUNCH_S + LAUNCH_EACH_S * len(launched) + sum(map(_search_s, searches))


def _search_s(search: Search) -> float:
    gaps_s = GAP_S + search.warmup_s
    return TYPICAL_STEPS * (search.step_s + gaps_s) + (1 + RELIEF_TIMES) * surge_s(search)


@dataclass(frozen=True, slots=True)
class CapacityRun:
    """A capacity run as its `run.json` holds it."""

    id: str
    aim: Aim
    started_at: str
    finished_at: str | None = None
    status: str = "partial"
    elapsed_s: float = 0.0
    machine: Mapping[str, str] = field(default_factory=dict)


def new_run(aim: Aim, results_dir: str) -> tuple[CapacityRun, Path]:
    """A run and its fresh folder. SuiteError: nothing can be written there."""
    at = datetime.now(UTC)
    folder = runs.dated_folder(Path(results_dir), at, KIND)
    run = CapacityRun(folder.name, aim, runs.stamp(at))
    save_run(run, folder)
    return run, folder


def save_run(run: CapacityRun, folder: Path) -> None:
    """Write `run.json`, whole or not at all."""
    runs.write_whole(folder / runs.FILE, {"kind": KIND, **asdict(run)})


def load_run(folder: Path) -> CapacityRun:
    """The run in a folder. SuiteError: there is none, or it is none of capacity."""
    try:
        values = json.loads((folder / runs.FILE).read_text(encoding="utf-8"))
        del values["kind"]
        aim: dict[str, Any] = {
            key: tuple(one) if isinstance(one, list) else one for key, one in values["aim"].items()
        }
        return CapacityRun(**{**values, "aim": Aim(**aim)})
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise SuiteError(f"{folder}: holds no capacity run; give the folder of one") from error
