"""What `run.json` holds of every kind of run, and how it is written and read."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from loadtests.analysis.summary import Status
from loadtests.config import codec
from loadtests.config.selection import CATALOG
from loadtests.errors import SuiteError
from loadtests.runs.folder import FILE, write_whole

Document = dict[str, Any]
FORMER_PROFILE_KEYS = frozenset(("closed_blocks", "open_blocks"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What all kinds of run store. Each kind adds what it measures and by which rules, resolved when the run begins:
    it is resumed and reported on as planned, on any machine, even if the catalog changes.

    elapsed_s: time spent so far, over all resumptions. cpus: those of the machine that measures; load_cpus: those of
    them that load generator and services have.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    id: str
    started_at: str
    finished_at: str | None = None
    status: Status = "partial"
    elapsed_s: float = 0.0
    machine: Mapping[str, str] = field(default_factory=dict)
    cpus: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    load_cpus: int = 1


Record = TypeVar("Record", bound=RunRecord)


def save_record(run: RunRecord, folder: Path) -> None:
    """Writes `run.json`, whole or not at all."""
    write_whole(folder / FILE, codec.to_document(run))


def load_record(
    kind: type[Record],
    folder: Path,
    resolved: Callable[[Document], Document],
    what: str = "run that can be read",
) -> Record:
    """The record in a folder. SuiteError: there is none of this kind.

    resolved: adds to a document of version 0.1 what it lacks, from the catalog.
    """
    try:
        document = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if "cpus" not in document:
            document = resolved(document) | {"cpus": _cpus(document["machine"])}
        return codec.from_document(kind, _without_former_keys(document))
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise SuiteError(f"{folder}: holds no {what}; give a folder below results/") from error


def _without_former_keys(document: Document) -> Document:
    """The document without what only profiles of version 0.2 have; no report rests on it."""
    for part in {"plan", "selection"} & document.keys():
        if not isinstance(document[part], dict):
            continue
        profile = document[part]["profile"]
        kept = {key: value for key, value in profile.items() if key not in FORMER_PROFILE_KEYS}
        document = {**document, part: {**document[part], "profile": kept}}
    return document


def catalog_of(document: Document) -> str:
    """The catalog that a document of version 0.1 names, the suite's own where that is gone."""
    named = str(document["catalog"])
    return named if Path(named).is_dir() else str(CATALOG)


def _cpus(machine: Mapping[str, str]) -> int:
    """How many CPUs the facts of a machine name, as in `2 (servers on CPU 0, load and database on CPU 1)`."""
    return int(machine["CPUs"].partition(" ")[0]) if machine else len(os.sched_getaffinity(0))
