"""The record of a capacity run: its request, its searches and how far it got, in `run.json` next to its samples."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from loadtests.capacity.request import Request, fitted, searches_of, selected
from loadtests.config import codec
from loadtests.config.selection import Selection
from loadtests.plan.search import Search
from loadtests.runs.folder import dated_folder, stamp
from loadtests.runs.record import Document, RunRecord, catalog_of, load_record, save_record


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityRun(RunRecord):
    """What `--resume` needs to continue the same searches, and the report to replay them."""

    kind: Literal["capacity"] = "capacity"
    request: Annotated[Request, Field(alias="aim")]
    selection: Selection
    searches: tuple[Search, ...]

    @property
    def rules(self) -> Search:
        """The rules that all searches have in common."""
        return self.searches[0]


def new_run(request: Request, results_dir: str) -> tuple[CapacityRun, Path]:
    """A run and its fresh folder, its steps as long as the budget lets them be.

    SuiteError: the catalog lacks what was asked for, the SLO is too long, or nothing can be written there.
    """
    selection, at = selected(request), datetime.now(UTC)
    planned = fitted(request, selection)
    folder = dated_folder(Path(results_dir), at, "capacity")
    run = CapacityRun(
        id=folder.name,
        started_at=stamp(at),
        request=planned,
        selection=selection,
        searches=searches_of(planned, selection),
    )
    save_record(run, folder)
    return run, folder


def load_run(folder: Path) -> CapacityRun:
    """The run in a folder. SuiteError: there is none, or it is not a capacity run."""
    return load_record(CapacityRun, folder, _resolved, "capacity run that can be read")


def _resolved(document: Document) -> Document:
    """A document of version 0.1 with the searches that its request makes, by the rule of that version."""
    aim = document["aim"]
    request = replace(codec.from_document(Request, aim), catalog=catalog_of(aim))
    selection = selected(request)
    return {
        **document,
        "selection": selection,
        "searches": [replace(one, rule="second try", pauses=0) for one in searches_of(request, selection)],
    }
