"""The command line: the only place that prints or exits.

Exit codes: 0 done, 1 differences found, 2 bad input, 130 stopped by a signal.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from loadtests.errors import SuiteError
from loadtests.selection import CATALOG, Wishes, duration_s, read_config, select

app = typer.Typer(
    name="sidebyside",
    help="Flask or FastAPI? Two identical shop APIs under the same load, and a verdict you can defend.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


class Stopped(BaseException):
    """SIGINT or SIGTERM came in: everything that was started ends, then this program."""


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turns what the user can mend into one line and exit code 2, an interruption into 130."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        yield
    except SuiteError as error:
        err.print(f"sidebyside: {error}", soft_wrap=True, markup=False, style="red")
        raise typer.Exit(2) from None
    except Stopped:
        err.print("sidebyside: stopped", soft_wrap=True)
        raise typer.Exit(130) from None


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a second one must not cut the clearing up short
    raise Stopped


@app.command()
def bench(
    profile: Annotated[
        str | None, typer.Option(help="How much is measured: quick, standard, thorough.")
    ] = None,
    scenario: Annotated[list[str] | None, typer.Option(help="Only this scenario; may be repeated.")] = None,
    contestant: Annotated[list[str] | None, typer.Option(help="Only this server; may be repeated.")] = None,
    budget: Annotated[str | None, typer.Option(help="Time in all, such as 90s, 5m, 1h.")] = None,
    seed: Annotated[int | None, typer.Option(help="What data, order and arrivals are drawn from.")] = None,
    results_dir: Annotated[str | None, typer.Option(help="Where the run's folder is made.")] = None,
    config: Annotated[Path | None, typer.Option(help="A sidebyside.toml that holds these options.")] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with this stopped run: same plan, same seed.")
    ] = None,
) -> None:
    """Measure, judge and report. The last line on standard output is the run's folder.

    [dim]sidebyside bench --contestant flask-gthread --contestant fastapi-uvicorn --scenario ping --budget 90s[/]
    """
    from loadtests import runs

    with one_line_errors():
        given = _given(
            profile=profile,
            scenarios=scenario,
            contestants=contestant,
            budget=budget,
            seed=seed,
            results_dir=results_dir,
        )
        if resume and (given or config):
            raise SuiteError("--resume goes on with the run's own plan; leave the other options away")
        if resume:
            run, folder = runs.load_run(resume), resume
        else:
            wishes = _wishes(given, config)
            select(wishes)
            run, folder = runs.new_run(wishes)

        from loadtests import bench as story
        from loadtests.watch import TerminalWatch

        try:
            with TerminalWatch(err, run.elapsed_s) as watch:
                story.measure(run, folder, watch)
        except Stopped:
            _report_what_there_is(folder)
            raise
        _show(story.report(folder), folder)


@app.command()
def report(run: Annotated[Path, typer.Argument(help="A folder below results/.")]) -> None:
    """Write the report of a run anew, from its stored samples alone."""
    from loadtests import runs

    with one_line_errors():
        runs.load_run(run)

        from loadtests import bench as story

        _show(story.report(run), run)


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(help="A run's folder.")],
    after: Annotated[Path, typer.Argument(help="Another run's folder.")],
) -> None:
    """Show what changed between two runs, as ratios within each run: absolute figures don't travel."""
    from loadtests.report.compare import compare_tables, load_summary
    from loadtests.report.terminal import to_terminal

    with one_line_errors():
        for table in compare_tables(load_summary(before), load_summary(after)):
            out.print(to_terminal(table))


@app.command(name="list")
def list_() -> None:
    """Show the contestants, scenarios and profiles of the catalog."""
    with one_line_errors():
        everything = select(Wishes())
        out.print("[bold]contestants[/]")
        for one in everything.contestants:
            only = f"  (only {', '.join(one.scenarios)})" if one.scenarios else ""
            out.print(f"  {one.name:<20} {one.title}{only}")
        out.print("[bold]scenarios[/]")
        for scenario in everything.scenarios:
            out.print(f"  {scenario.name:<20} {scenario.title}: {scenario.question}")
        out.print("[bold]profiles[/]")
        for name in ("quick", "standard", "thorough"):
            out.print(f"  {name:<20} {select(Wishes(profile=name)).profile.title}")
        out.print(
            f"[dim]They are described in {CATALOG}; copy that folder and name it as `catalog` in a config.[/]"
        )


@app.command()
def check(
    url_a: Annotated[str, typer.Argument(help="Where one app answers, such as http://127.0.0.1:8000.")],
    url_b: Annotated[str, typer.Argument(help="Where the other answers.")],
) -> None:
    """Hold two running apps to the contract, and to each other, over the wire. Exit 1 on any difference."""
    from loadtests.check import check as differences_between

    with one_line_errors():
        differences = differences_between(url_a, url_b)
    for difference in differences:
        out.print(str(difference), soft_wrap=True, markup=False)
    out.print(f"{len(differences)} differences" if differences else "no difference")
    raise typer.Exit(1 if differences else 0)


@app.command()
def serve(
    contestant: Annotated[str, typer.Argument(help="A name from `sidebyside list`.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one.")] = 0,
) -> None:
    """Run one server with PostgreSQL, Redis and seeded data until it is stopped (Ctrl-C)."""
    with one_line_errors():
        chosen = select(Wishes(contestants=(contestant,))).contestants

        from loadtests.servers import free_ports
        from loadtests.stage import stage

        free_ports([contestant], {contestant: port})
        try:
            with stage(seed=0) as scene, scene.servers(chosen, ports={contestant: port}) as endpoints:
                print(f"ready http://127.0.0.1:{endpoints[contestant].port}", flush=True)
                wait_for_end(endpoints[contestant].pid)
        except Stopped:
            return
        raise SuiteError(f"{contestant} ended by itself")


def wait_for_end(pid: int) -> None:
    """Returns when the process has ended, or Stopped is raised."""
    import psutil

    psutil.wait_procs([psutil.Process(pid)])


def _given(**options: Any) -> dict[str, Any]:
    """The options that were given on the command line."""
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in options.items() if value
    }


def _wishes(given: dict[str, Any], config: Path | None) -> Wishes:
    """The command line's options over those of the config."""
    options = {**(read_config(config) if config else {}), **given}
    budget = options.pop("budget", None)
    return Wishes(**options, budget_s=duration_s(budget) if budget else None)


def _show(summary: Any, folder: Path) -> None:
    from loadtests.report.terminal import print_summary

    print_summary(summary, out)
    out.print(f"\nThe report: {folder / 'report.html'}", soft_wrap=True)
    print(folder, flush=True)


def _report_what_there_is(folder: Path) -> None:
    from loadtests import bench as story
    from loadtests.samples import RunStore

    finished = RunStore(folder).finished_rounds()
    if finished:
        story.report(folder)
    err.print(
        f"{finished} finished rounds kept; go on with: sidebyside bench --resume {folder}", soft_wrap=True
    )


def main() -> None:
    """The console script `sidebyside`."""
    app()
