"""`sidebyside report`, `compare` and `list`: show what is stored; measure nothing."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loadtests.analysis.summary import Summary
from loadtests.cli.frame import CatalogOption, app, one_line_errors, out
from loadtests.config.catalog import Catalog
from loadtests.config.contestants import Contestant
from loadtests.config.selection import CATALOG

if TYPE_CHECKING:
    from loadtests.report.document import Document


@app.command()
def report(run: Annotated[Path, typer.Argument(help="A run's folder, below results/.")]) -> None:
    """Rewrite the report of a run from its stored samples."""
    with one_line_errors():
        from loadtests.runs.folder import kind_of

        kind = kind_of(run)
        if kind == "bench":
            show(bench_report(run), run)
        elif kind == "capacity":
            from loadtests.capacity.run import report as capacity_report

            show_document(capacity_report(run), run)
        else:
            from loadtests.selftest.run import report as selftest_report

            show_document(selftest_report(run), run)


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(help="A run's folder.")],
    after: Annotated[Path, typer.Argument(help="Another run's folder.")],
) -> None:
    """Show what changed between two runs, as ratios within each run: absolute figures are not comparable."""
    from loadtests.report.compare import compare_tables, load_summary
    from loadtests.report.terminal import to_terminal

    with one_line_errors():
        for table in compare_tables(load_summary(before), load_summary(after)):
            out.print(to_terminal(table))


@app.command(name="list")
def list_(catalog: CatalogOption = None) -> None:
    """Show the contestants, scenarios and profiles of the catalog."""
    entries = Catalog(catalog or CATALOG)
    with one_line_errors():
        out.print("[bold]contestants[/]")
        for one in entries.contestants.values():
            out.print(f"  {one.name:<20} {one.title}{_limits(one)}", soft_wrap=True)
        out.print("[bold]scenarios[/]")
        for scenario in entries.scenarios.values():
            out.print(f"  {scenario.name:<20} {scenario.title}: {scenario.question}", soft_wrap=True)
        out.print("[bold]profiles[/]")
        for name, profile in entries.profiles.items():
            out.print(f"  {name:<20} {profile.title}")
            for kind, names in (("contestants", profile.contestants), ("scenarios", profile.scenarios)):
                out.print(f"  {'':<20} [dim]{kind}:[/] {', '.join(names) or 'all'}", soft_wrap=True)
        out.print(
            f"[dim]They are defined in {entries.folder}; copy that folder, edit the copy, name it with --catalog.[/]"
        )


def _limits(one: Contestant) -> str:
    if not one.websockets:
        return "  (no websockets)"
    return f"  (only {', '.join(one.scenarios)})" if one.scenarios else ""


def bench_report(folder: Path) -> Summary:
    """Writes the report of a bench, with what the newest selftest in the same folder found."""
    from loadtests.bench import run
    from loadtests.selftest.report import newest_tables

    return run.report(folder, newest_tables(folder.parent))


def show(summary: Summary, folder: Path) -> None:
    """The verdicts on the terminal, and as the last line of standard output the run's folder."""
    from loadtests.report.terminal import print_summary

    print_summary(summary, out)
    out.print(f"\nThe report: {folder / 'report.html'}", soft_wrap=True)
    print(folder, flush=True)


def show_document(document: "Document", folder: Path) -> None:
    """The answer of a report on the terminal, and as the last line of standard output its folder."""
    for sentence in document.answer:
        out.print(f"\n{sentence}", markup=False, soft_wrap=True)
    out.print(f"\nThe report: {folder / 'report.html'}", soft_wrap=True)
    print(folder, flush=True)
