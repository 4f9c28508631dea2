"""A run's folder: what it was asked for and how far it came, in `run.json`, beside its samples."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loadtests.config.selection import Wishes
from loadtests.errors import SuiteError

FILE = "run.json"


@dataclass(frozen=True, slots=True)
class Run:
    """What `--resume` needs to go on with the same plan, and the report to say what was run.

    rates: arrivals per second of the open loop by scenario, fixed after round 0; empty before.
    elapsed_s: machine time spent so far, over all sittings. servers: the exact command line of each, as launched last.
    """

    id: str
    wishes: Wishes
    started_at: str
    finished_at: str | None = None
    status: str = "partial"
    elapsed_s: float = 0.0
    rates: Mapping[str, float] = field(default_factory=dict)
    machine: Mapping[str, str] = field(default_factory=dict)
    servers: Mapping[str, str] = field(default_factory=dict)


def new_run(wishes: Wishes) -> tuple[Run, Path]:
    """A run and its fresh folder. SuiteError: nothing can be written there."""
    at = datetime.now(UTC)
    folder = dated_folder(Path(wishes.results_dir), at, wishes.profile)
    run = Run(folder.name, wishes, stamp(at))
    save_run(run, folder)
    return run, folder


def dated_folder(results: Path, at: datetime, kind: str) -> Path:
    """A new folder named for the moment and the kind of run. SuiteError: nothing can be written there."""
    return fresh_folder(results, f"{at:%Y%m%d-%H%M%S}-{kind}")


def fresh_folder(results: Path, stem: str) -> Path:
    """A new folder of that name, or one with a number behind it. SuiteError: nothing can be written there."""
    try:
        results.mkdir(parents=True, exist_ok=True)
        for suffix in ("", *(f"-{number}" for number in range(2, 100))):
            folder = results / f"{stem}{suffix}"
            if not folder.exists():
                folder.mkdir()
                return folder
    except OSError as error:
        raise SuiteError(
            f"{results}: nothing can be written there ({error.strerror}); choose another --results-dir"
        ) from error
    raise SuiteError(f"{results}: a hundred runs began in this second; try again")


def save_run(run: Run, folder: Path) -> None:
    """Writes `run.json`, whole or not at all."""
    write_whole(folder / FILE, asdict(run))


def write_whole(path: Path, document: Mapping[str, Any]) -> None:
    """Writes a JSON object, whole or not at all; what is no number in it raises ValueError."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(path)


def load_run(folder: Path) -> Run:
    """The run in a folder. SuiteError: there is none, or it can't be read."""
    try:
        values = json.loads((folder / FILE).read_text(encoding="utf-8"))
        wishes: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values["wishes"].items()
        }
        return Run(**{**values, "wishes": Wishes(**wishes)})
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise SuiteError(f"{folder}: holds no run that can be read; give a folder below results/") from error


def kind_of(folder: Path) -> str:
    """`bench`, `capacity` or `selftest`: what left its results in a folder. SuiteError: nothing did."""
    if (folder / "selftest.json").exists():
        return "selftest"
    try:
        return str(json.loads((folder / FILE).read_text(encoding="utf-8")).get("kind", "bench"))
    except (OSError, AttributeError, ValueError) as error:
        raise SuiteError(f"{folder}: holds no run that can be read; give a folder below results/") from error


def stamp(at: datetime) -> str:
    """A moment as ISO 8601 to the second, with its zone."""
    return at.isoformat(timespec="seconds")
