"""The record of a bench run: its options, its plan and how far it got, in `run.json` next to its samples."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import Field

from loadtests.config import codec
from loadtests.config.selection import Options, Selection, select
from loadtests.plan import budget
from loadtests.plan.plan import Plan
from loadtests.plan.sizes import Sizes
from loadtests.runs.folder import dated_folder, stamp
from loadtests.runs.record import Document, RunRecord, catalog_of, load_record, save_record


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchRun(RunRecord):
    """What `--resume` needs to continue the same plan, and the report to say what was run.

    rates, requests, own_rps: what round 0 fixes for those after it (see loadtests/plan/sizes.py), own_rps a few later;
    empty before.
    servers: the exact command line of each, as launched last.
    """

    options: Annotated[Options, Field(alias="wishes")]
    plan: Plan
    rates: Mapping[str, float] = field(default_factory=dict)
    requests: Mapping[str, int] = field(default_factory=dict)
    own_rps: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    servers: Mapping[str, str] = field(default_factory=dict)

    @property
    def sizes(self) -> Sizes | None:
        """What the rounds so far have fixed; None before the first."""
        return Sizes(self.requests, self.rates, self.own_rps) if self.requests else None


def new_run(options: Options) -> tuple[BenchRun, Path]:
    """A run and its fresh folder. SuiteError: the catalog lacks what was asked for, or nothing can be written there."""
    plan, at = plan_of(options, select(options)), datetime.now(UTC)
    folder = dated_folder(Path(options.results_dir), at, options.profile)
    run = BenchRun(id=folder.name, started_at=stamp(at), options=options, plan=plan)
    save_record(run, folder)
    return run, folder


def plan_of(options: Options, selection: Selection) -> Plan:
    """The plan of a new run."""
    return budget.fitted(
        selection.profile,
        options.seed,
        selection.contestants,
        selection.scenarios,
        selection.claims,
        options.design,
        None if options.precision is None else budget.MANY_ROUNDS,
    )


def load_run(folder: Path) -> BenchRun:
    """The run in a folder. SuiteError: there is none, or it can't be read."""
    return load_record(BenchRun, folder, _resolved)


def _resolved(document: Document) -> Document:
    """A document of version 0.1 with the plan that its options make today."""
    wishes = document["wishes"]
    options = replace(codec.from_document(Options, wishes), catalog=catalog_of(wishes))
    return {**document, "plan": plan_of(options, select(options))}
