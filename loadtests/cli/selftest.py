"""`sidebyside selftest`: does the suite find what is there, and nothing else?"""

from typing import Annotated

import typer

from loadtests.cli.frame import app, err, one_line_errors, out
from loadtests.config.selection import duration_s


@app.command()
def selftest(
    budget: Annotated[str, typer.Option(help="Total time; more time means more repeats.")] = "30m",
    inject: Annotated[
        list[float] | None,
        typer.Option(
            min=0,
            max=1000,
            help="Extra CPU work per request, in percent; may be repeated. Default: 0 2 5 10 25.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only this check: delays, frozen, pauses, itself, coverage, injection, designs."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed for orders and arrivals.")] = 0,
    results_dir: Annotated[str, typer.Option(help="Where to create the selftest's folder.")] = "results",
) -> None:
    """Measure servers whose true figures are known, and say how often the suite was right.

    A server against itself; known slowdowns, pauses and delays; a frozen server; simulated coverage; and what measuring
    one server after the other would have concluded. Writes selftest.json and a page; exit 1 when a check fails.

    [dim]sidebyside selftest --only injection --inject 3 --budget 10m[/]
    """
    with one_line_errors():
        from loadtests.selftest import injection, run
        from loadtests.selftest.report import answer

        options = run.Options(
            budget_s=duration_s(budget),
            inject=tuple(dict.fromkeys(inject)) if inject else injection.SIZES,
            only=tuple(only or ()),
            seed=seed,
            results_dir=results_dir,
        )
        found, folder = run.run(options, lambda text: err.print(text, highlight=False))
    for one in found.checks:
        mark = {True: "[green]passed[/]", False: "[red]FAILED[/]", None: "[dim]not judged[/]"}[one.ok]
        out.print(f"{mark}  [bold]{one.title}[/]: {one.summary}", soft_wrap=True)
    out.print(f"\n{answer(found)[0]} The page: {folder / 'report.html'}", soft_wrap=True)
    print(folder, flush=True)
    if found.ok is False:
        raise typer.Exit(1)
