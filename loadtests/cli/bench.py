"""`sidebyside bench`: a run from the first launch to the report."""

from pathlib import Path
from typing import Annotated, Any

import typer

from loadtests.cli.frame import CatalogOption, app, err, one_line_errors, resumable
from loadtests.cli.results import bench_report, show
from loadtests.config.selection import Options, duration_s, fraction, read_config
from loadtests.errors import SuiteError


@app.command()
def bench(
    profile: Annotated[
        str | None, typer.Option(help="How much to measure: quick, standard, thorough.")
    ] = None,
    scenario: Annotated[list[str] | None, typer.Option(help="Only this scenario; may be repeated.")] = None,
    contestant: Annotated[list[str] | None, typer.Option(help="Only this server; may be repeated.")] = None,
    budget: Annotated[str | None, typer.Option(help="Total time, such as 90s, 5m, 1h.")] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="Stop once the headline intervals are this narrow, such as 2%, or the budget is used."
        ),
    ] = None,
    design: Annotated[
        str | None,
        typer.Option(help="paired (the default), or sequential: what most tools do, for comparison."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed for data, order and arrivals.")] = None,
    results_dir: Annotated[str | None, typer.Option(help="Where to create the run's folder.")] = None,
    catalog: CatalogOption = None,
    config: Annotated[Path | None, typer.Option(help="A sidebyside.toml with these options.")] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Continue this stopped run: same plan, same seed.")
    ] = None,
) -> None:
    """Measure, judge and report. The last line on standard output is the run's folder.

    [dim]sidebyside bench --contestant flask-gthread --contestant fastapi-uvicorn --scenario ping --budget 90s[/]
    """
    with one_line_errors():
        from loadtests.bench.progress import BenchProgress
        from loadtests.bench.record import load_run, new_run
        from loadtests.bench.run import measure

        given = _given(
            profile=profile,
            scenarios=scenario,
            contestants=contestant,
            budget=budget,
            precision=precision,
            design=design,
            seed=seed,
            results_dir=results_dir,
            catalog=catalog and str(catalog),
        )
        if resume and (given or config):
            raise SuiteError("--resume continues the run with its own plan; leave out the other options")
        run, folder = (load_run(resume), resume) if resume else new_run(_options(given, config))
        with resumable(folder, "bench", bench_report):
            with BenchProgress(err, run) as progress:
                measure(run, folder, progress)
            summary = bench_report(folder)
        show(summary, folder)


def _given(**options: Any) -> dict[str, Any]:
    """The options that were given on the command line."""
    return {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in options.items()
        if value is not None and value != []
    }


def _options(given: dict[str, Any], config: Path | None) -> Options:
    """The command line's options over those of the config."""
    options = {**(read_config(config) if config else {}), **given}
    budget = options.pop("budget", None)
    precise = options.pop("precision", None)
    return Options(
        **options,
        budget_s=duration_s(budget) if budget else None,
        precision=fraction(precise) if precise else None,
    )
