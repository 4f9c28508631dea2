"""What the bench and the load process exchange: the assignment of a round, its progress, its frames."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from loadtests.config import codec
from loadtests.config.scenarios import Scenario
from loadtests.machine.meters import NOTHING_METERED, Metered
from loadtests.machine.servers import Endpoint
from loadtests.plan.rounds import Round
from loadtests.samples.store import SCHEMAS, Measurement

MARK = "slice-done "  # opens a progress line


@dataclass(frozen=True, slots=True)
class Assignment:
    """A round to drive: its servers, its scenarios, and the folder that takes the frames.

    seed: what the requests are drawn from. timeout_s: how long one request may take. metered: what is read beside the
    servers.
    """

    round: Round
    scenarios: tuple[Scenario, ...]
    endpoints: tuple[Endpoint, ...]
    seed: int
    timeout_s: float
    folder: str
    metered: Metered = NOTHING_METERED


@dataclass(frozen=True, slots=True)
class SliceDone:
    """A finished slice, to be shown while the round goes on; rate_rps None: a closed loop."""

    slice: int
    scenario: str
    contestant: str
    mode: str
    answered: int
    failed: int
    rate_rps: float | None = None


def to_json(assignment: Assignment) -> str:
    """The assignment as JSON; `from_json` gives an equal one."""
    return json.dumps(codec.to_document(assignment))


def from_json(text: str) -> Assignment:
    """The assignment that `to_json` wrote."""
    return codec.from_json(Assignment, text)


def hand_over(text: str, file: Path) -> None:
    """Let the load process find the file, whole."""
    partial = file.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)


def to_line(progress: SliceDone) -> str:
    """The progress as one line of text, with its end."""
    return f"{MARK}{json.dumps(asdict(progress))}\n"


def from_line(line: str) -> SliceDone | None:
    """The progress in a line, None for any other line."""
    return SliceDone(**json.loads(line.removeprefix(MARK))) if line.startswith(MARK) else None


def save(measurement: Measurement, folder: Path) -> None:
    """Hand the frames over as plain Arrow files; Parquet is written once, where it stays."""
    for kind in SCHEMAS:
        frame: pl.DataFrame = getattr(measurement, kind)
        frame.write_ipc(folder / f"{kind}.arrow")


def load(folder: Path) -> Measurement:
    """The frames that `save` wrote."""
    return Measurement(**{kind: pl.read_ipc((folder / f"{kind}.arrow").read_bytes()) for kind in SCHEMAS})
