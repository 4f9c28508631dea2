"""Rounds of a second or two, driven by a real Locust process against real floors."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from loadtests.config.contestants import Contestant, load_contestants
from loadtests.config.scenarios import Scenario, load_scenarios
from loadtests.errors import ServerError
from loadtests.load.drive import drive
from loadtests.load.protocol import SliceDone
from loadtests.machine.meters import NOTHING_METERED, Metered
from loadtests.machine.servers import Endpoint, launched
from loadtests.plan.rounds import Mode, Round, Slice
from loadtests.plan.search import Search
from loadtests.samples.store import Measurement

CATALOG = Path(__file__).parents[2] / "loadtests" / "catalog"
CONTESTANTS = load_contestants(CATALOG)
PING = load_scenarios(CATALOG)["ping"]
WSGI, ASGI = "raw-wsgi-gthread", "raw-asgi-uvicorn"
ANY_CPU: tuple[int, ...] = ()
RATE_RPS = 400.0
USERS = 4


def piece(
    index: int,
    contestant: str,
    mode: Mode = "closed",
    *,
    block: int = 0,
    duration_s: float = 0.1,
    scenario: Scenario = PING,
) -> Slice:
    rate = RATE_RPS if mode == "open" else None
    return Slice(
        index, block, scenario.name, contestant, mode, duration_s, 0.03, USERS, rate, seed=100 + block
    )


@dataclass(frozen=True)
class Driven:
    """A round that was driven, and what was told meanwhile."""

    measurement: Measurement
    told: list[SliceDone]

    def slices(self, mode: str) -> pl.DataFrame:
        return self.measurement.slices.filter(pl.col("mode") == mode)

    def requests(self, mode: str) -> pl.DataFrame:
        return self.measurement.requests.join(self.slices(mode), on="slice")


def driven(
    slices: Sequence[Slice],
    *,
    searches: Sequence[Search] = (),
    scenarios: Sequence[Scenario] = (PING,),
    timeout_s: float = 5.0,
    deadline_s: float | None = None,
    on_slice: Callable[[SliceDone, dict[str, Endpoint]], None] = lambda *_: None,
    metered: Metered = NOTHING_METERED,
    dies: bool = False,
    known: Mapping[str, Contestant] = CONTESTANTS,
) -> Driven:
    told: list[SliceDone] = []
    round_ = Round(3, tuple(slices), tuple(searches))
    end = pytest.raises(ServerError, match="SIGKILL") if dies else nullcontext()
    with end, launched([known[name] for name in round_.contestants], {}, ANY_CPU) as endpoints:

        def watch(progress: SliceDone) -> None:
            told.append(progress)
            on_slice(progress, endpoints)

        measurement = drive(
            round_,
            scenarios,
            endpoints,
            cpus=ANY_CPU,
            seed=1,
            on_slice=watch,
            timeout_s=timeout_s,
            deadline_s=deadline_s,
            metered=metered,
        )
    return Driven(measurement, told)
