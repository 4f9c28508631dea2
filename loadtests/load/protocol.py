"""What passes between the bench and the load process: the assignment of a round, its progress, its frames."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from loadtests.config.scenarios import RequestTemplate, Scenario
from loadtests.machine.servers import Endpoint
from loadtests.plan.rounds import Round, Slice
from loadtests.plan.search import Search
from loadtests.samples.store import SCHEMAS, Measurement

MARK = "slice-done "  # opens a progress line


@dataclass(frozen=True, slots=True)
class Assignment:
    """A round to drive: its servers, its scenarios, and the folder that takes the three frames.

    seed: what the requests are drawn from. timeout_s: how long one request may take.
    """

    round: Round
    scenarios: tuple[Scenario, ...]
    endpoints: tuple[Endpoint, ...]
    seed: int
    timeout_s: float
    folder: str

    @property
    def users(self) -> int:
        """The most users that any slice or search wants."""
        planned = [piece.concurrency for piece in self.round.slices]
        return max([*planned, *(search.users for search in self.round.searches)], default=1)


@dataclass(frozen=True, slots=True)
class Progress:
    """A finished slice, for who watches; rate_rps None: a closed loop."""

    slice: int
    scenario: str
    contestant: str
    mode: str
    answered: int
    failed: int
    rate_rps: float | None = None


def to_json(assignment: Assignment) -> str:
    """The assignment as JSON; `from_json` gives an equal one."""
    return json.dumps(asdict(assignment))


def from_json(text: str) -> Assignment:
    """The assignment that `to_json` wrote."""
    values = json.loads(text)
    slices = tuple(Slice(**piece) for piece in values["round"]["slices"])
    searches = tuple(Search(**{**one, "rungs": tuple(one["rungs"])}) for one in values["round"]["searches"])
    return Assignment(
        round=Round(values["round"]["index"], slices, searches),
        scenarios=tuple(_scenario(one) for one in values["scenarios"]),
        endpoints=tuple(Endpoint(**{**one, "argv": tuple(one["argv"])}) for one in values["endpoints"]),
        seed=values["seed"],
        timeout_s=values["timeout_s"],
        folder=values["folder"],
    )


def to_line(progress: Progress) -> str:
    """The progress as one line of text, with its end."""
    return f"{MARK}{json.dumps(asdict(progress))}\n"


def from_line(line: str) -> Progress | None:
    """The progress that a line tells, None for any other line."""
    return Progress(**json.loads(line.removeprefix(MARK))) if line.startswith(MARK) else None


def save(measurement: Measurement, folder: Path) -> None:
    """Write the three frames as Parquet files."""
    for kind in SCHEMAS:
        frame: pl.DataFrame = getattr(measurement, kind)
        frame.write_parquet(folder / f"{kind}.parquet")


def load(folder: Path) -> Measurement:
    """The frames that `save` wrote."""
    return Measurement(**{kind: pl.read_parquet(folder / f"{kind}.parquet") for kind in SCHEMAS})


def _scenario(values: Mapping[str, Any]) -> Scenario:
    templates = {
        part: tuple(RequestTemplate(**{**one, "keys": tuple(one["keys"])}) for one in values[part])
        for part in ("setup", "requests")
    }
    return Scenario(**{**values, **templates})
