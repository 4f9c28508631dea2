"""`sidebyside doctor`: is this machine fit to measure on, and how small a difference would it show?"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from loadtests.cli.frame import app, err, one_line_errors, out
from loadtests.errors import SuiteError

if TYPE_CHECKING:
    from loadtests.doctor.finding import Finding
    from loadtests.doctor.forecast import AaSpread, Forecast

MARKS = {"good": ("ok", "green"), "warning": ("warning", "yellow"), "bad": ("bad", "bold red")}


@app.command()
def doctor(
    quick: Annotated[bool, typer.Option("--quick", help="Skip the measurement: about 10 s, not 40.")] = False,
    results_dir: Annotated[Path, typer.Option(help="Where runs will be stored.")] = Path("results"),
) -> None:
    """Find what on this machine will hurt a benchmark, what to do about it, and how small a difference it can show.

    It checks the CPUs and their clock, limits, CPU time stolen by other
    machines, other programs, timers, memory, disk, PostgreSQL and Redis. Then
    it measures a bare server against a second launch of itself, and forecasts
    from that how narrow the intervals of longer runs would be.

    The exit code is 0 even with warnings, and 1 when something makes a run
    impossible. A browser is not needed.

    [dim]Before a long run: close the programs you would close for the run itself, then run this.[/]
    """
    with one_line_errors():
        from loadtests.doctor.facts import gather
        from loadtests.doctor.findings import judge, sum_up

        with err.status("checking the machine"):
            found = judge(gather(results_dir))
        _show_findings(found)
        forecasts = () if quick else _measured(found)
        out.print(Text(sum_up(found, forecasts)), soft_wrap=True)
    raise typer.Exit(1 if any(one.stops for one in found) else 0)


def _measured(found: "list[Finding]") -> "Sequence[Forecast]":
    """Measures, shows and forecasts; a failure is one more finding."""
    from loadtests.doctor import noise
    from loadtests.doctor.findings import unmeasured
    from loadtests.doctor.forecast import aa_spread

    try:
        with err.status("measuring a server against itself: about 25 s"):
            seen = aa_spread(noise.measure())
    except SuiteError as error:
        found.append(unmeasured(str(error)))
        _show_findings(found[-1:])
        return ()
    forecasts = noise.forecasts(seen) if seen else []
    if seen:
        _show_forecasts(seen, forecasts)
    return forecasts


def _show_findings(findings: "Sequence[Finding]") -> None:
    table = Table.grid(padding=(0, 2))
    for one in findings:
        mark, style = MARKS[one.severity]
        text = Text(one.found)
        if one.advice:
            text.append(f"\n→ {one.advice}", style="dim")
        table.add_row(Text(mark, style=style), Text(one.subject), text)
    out.print(table)


def _show_forecasts(spread: "AaSpread", forecasts: "Sequence[Forecast]") -> None:
    from loadtests.doctor.forecast import describe_assumptions, describe_spread, share

    out.print(Text(f"\n{describe_spread(spread)}"))
    table = Table(box=None, padding=(0, 3, 0, 0))
    for column in ("bench --profile … --budget …", "rounds", "95 % interval", "visible difference"):
        table.add_column(Text(column), justify="left" if column.startswith("bench") else "right")
    for one in forecasts:
        options = f"--profile {one.profile} --budget {one.budget_s / 60:g}m"
        table.add_row(options, str(one.rounds), f"± {share(one.half_width)}", share(one.visible))
    out.print(table)
    out.print(Text(f"{describe_assumptions()}\n", style="dim"))
