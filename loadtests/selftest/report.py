"""A selftest as a page: what each check tests, what it found, and every figure."""

from pathlib import Path
from typing import Any

from loadtests.errors import SuiteError
from loadtests.report import formats
from loadtests.report.document import Document
from loadtests.report.tables import Cell, Table, facts_table, name
from loadtests.selftest.records import Check, Selftest, load, newest

TITLE = "Can this suite be trusted here?"
HOW_TO_READ = (
    "Every check measures servers whose truth is known and asks how often the suite was right. A share is given with"
    " its 95 % interval (Clopper and Pearson): few repeats say little. A check fails when its share contradicts"
    " the limit at the 5 % level, so one check in twenty fails by chance where its true share is just at the limit."
)
METHOD = (
    "The servers are launched, pinned and loaded as in a run, in paired slices, with fresh processes every round."
    " Extra work is an empty loop before the app sees the request; launches of their own, in which the servers stamp"
    " their CPU time, tell what it costs. Pauses are full garbage collections, which the server stamps as well. The"
    " samples are next to this page."
)


def document_of(found: Selftest) -> Document:
    """The page of a selftest."""
    return Document(
        title=TITLE,
        answer=answer(found),
        verdicts=check_table(found),
        other_pairs=(),
        figures=tuple(figure_table(check) for check in found.checks if check.figures),
        checks=(),
        circumstances=(
            facts_table("The selftest", _circumstances(found)),
            facts_table("The machine", found.machine),
        ),
        how_to_read=HOW_TO_READ,
        method=METHOD,
    )


def answer(found: Selftest) -> tuple[str, ...]:
    """Whether all passed, then what failed."""
    judged = [one for one in found.checks if one.ok is not None]
    failed = [one for one in judged if not one.ok]
    if not judged:
        return ("Nothing could be judged.",)
    first = (
        f"All {len(judged)} checks passed."
        if not failed
        else f"{len(failed)} of {len(judged)} checks failed."
    )
    return (first, *(f"{one.title}: {one.summary}." for one in failed))


def check_table(found: Selftest, title: str = "Checks", about: str = "") -> Table:
    """One row per check."""
    rows = tuple((name(one.title), _mark(one), Cell(one.limit), Cell(one.summary)) for one in found.checks)
    return Table(title, ("check", "passed", "what is tested", "what was found"), rows, about)


def newest_tables(results: Path) -> tuple[Table, ...]:
    """The checks of the newest selftest below a results folder, for the reports of runs; empty without one."""
    folder = newest(results)
    try:
        found = load(folder) if folder else None
    except SuiteError:
        found = None
    if folder is None or found is None:
        return ()
    about = f"From {formats.moment(found.started_at)}; `{folder.name}`, next to this run's folder, holds every figure."
    return (check_table(found, "What the last selftest found on servers whose truth is known", about),)


def _mark(one: Check) -> Cell:
    if one.ok is None:
        return Cell("", "missing", "not judged")
    return Cell("", "good", "yes") if one.ok else Cell("", "invalid", "no")


def figure_table(check: Check) -> Table:
    """All figures of a check, one column per key."""
    columns = tuple(check.figures[0])
    rows = tuple(tuple(_cell(row[column]) for column in columns) for row in check.figures)
    return Table(check.title, tuple(column.replace("_", " ") for column in columns), rows, about=check.limit)


def _cell(value: Any) -> Cell:
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    if isinstance(value, int):
        return Cell(str(value), "number")
    if value is None or isinstance(value, float):
        return Cell(formats.ratio(value), "number")
    return Cell(str(value))


def _circumstances(found: Selftest) -> dict[str, str]:
    return {
        "Selftest": f"{found.id} ({found.status})",
        "Seed": str(found.seed),
        "Time": f"{formats.moment(found.started_at)}, {formats.duration(found.duration_s)}",
    }
