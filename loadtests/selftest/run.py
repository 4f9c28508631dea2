"""A selftest: one check after the other, each saved as soon as it is done."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from loadtests.config.catalog import Catalog
from loadtests.config.selection import CATALOG
from loadtests.errors import SuiteError
from loadtests.machine import description
from loadtests.machine.environment import open_environment
from loadtests.report.document import Document
from loadtests.report.files import write_pages
from loadtests.runs.folder import fresh_folder, stamp
from loadtests.selftest import a_vs_a, coverage, delays, designs, frozen, injection, pauses
from loadtests.selftest.records import Check, Selftest, load, save
from loadtests.selftest.report import document_of
from loadtests.selftest.setting import FLOOR, Setting, headliners

BUDGET_S = 1800.0


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked of a selftest. `inject`: extra costs in percent; `only`: names of CHECKS, empty for all."""

    budget_s: float = BUDGET_S
    inject: tuple[float, ...] = injection.SIZES
    only: tuple[str, ...] = ()
    seed: int = 0
    results_dir: str = "results"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A check and its time: a `share` of the budget, or `takes_s` for checks of fixed length.

    launches_apps: whether it starts the shops, which need a database, or floors alone.
    """

    run: Callable[[Setting, float], Check]
    share: float = 0.0
    takes_s: float = 0.0
    launches_apps: bool = False


CHECKS: Mapping[str, _Entry] = {
    "delays": _Entry(lambda setting, _: delays.check(setting), takes_s=40),
    "frozen": _Entry(lambda setting, _: frozen.check(setting), takes_s=20),
    "pauses": _Entry(lambda setting, _: pauses.check(setting), takes_s=150, launches_apps=True),
    "itself": _Entry(a_vs_a.check, share=0.3, launches_apps=True),
    "coverage": _Entry(lambda setting, _: coverage.check(setting), takes_s=5),
    "injection": _Entry(injection.check, share=0.5, launches_apps=True),
    "designs": _Entry(designs.check, share=0.2, launches_apps=True),
}


def run(options: Options, on_step: Callable[[str], None]) -> tuple[Selftest, Path]:
    """Run the checks and leave `selftest.json` and its pages in a fresh folder. SuiteError: no such check, no room."""
    names, catalog = chosen(options.only), Catalog(CATALOG)
    began, at = time.monotonic(), datetime.now(UTC)
    folder = fresh_folder(Path(options.results_dir), f"selftest-{at:%Y%m%d-%H%M%S}")
    found = Selftest(folder.name, stamp(at), 0.0, "partial", options.seed)
    with open_environment(
        options.seed, needs_database=any(CHECKS[name].launches_apps for name in names)
    ) as environment:
        facts = description.describe(environment.cpus, environment.database_url)
        setting = Setting(
            environment,
            folder,
            options.seed,
            options.inject,
            headliners(catalog),
            catalog.contestants[FLOOR],
            on_step,
        )
        for name, seconds in shares(names, options.budget_s).items():
            check = CHECKS[name].run(setting, seconds)
            taken_s = time.monotonic() - began
            found = replace(found, machine=facts, checks=(*found.checks, check), duration_s=taken_s)
            save(found, folder)
    found = replace(found, status="complete")
    save(found, folder)
    report(folder)
    return found, folder


def report(folder: Path) -> Document:
    """Rewrites the page of a selftest from what the folder holds, and returns the document."""
    document = document_of(load(folder))
    write_pages(document, {}, folder)
    return document


def shares(names: Sequence[str], budget_s: float) -> dict[str, float]:
    """The seconds of each check: the others share what those of fixed length leave."""
    rest_s = budget_s - sum(CHECKS[name].takes_s for name in names)
    total = sum(CHECKS[name].share for name in names) or 1.0
    return {name: max(0.0, rest_s) * CHECKS[name].share / total for name in names}


def chosen(only: Sequence[str]) -> tuple[str, ...]:
    """The checks by these names, all without any. SuiteError: there is no such check, or one lacks another."""
    for name in only:
        if name not in CHECKS:
            raise SuiteError(f"there is no check {name!r}; there are {', '.join(CHECKS)}")
    if "coverage" in only and "itself" not in only:
        raise SuiteError("`coverage` draws from the noise that `itself` measures; name both")
    return tuple(name for name in CHECKS if not only or name in only)
