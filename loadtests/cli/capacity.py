"""`sidebyside capacity`: how much load a server carries within an SLO, and what it does beyond."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from loadtests.cli.frame import CatalogOption, app, err, one_line_errors, resumable
from loadtests.cli.results import show_document
from loadtests.config.selection import CATALOG, duration_s
from loadtests.errors import SuiteError

DEFAULT_CONTESTANTS = ("flask-gthread", "fastapi-uvicorn")
DEFAULT_SCENARIOS = ("item-read",)


HELP = """\
How many requests per second can a server handle before it becomes slow? The last line is the run's folder.

The [bold]SLO[/] (service level objective) says: 99 of 100 requests are answered within this time, counted \
from the moment when each was due, and fewer than 1 in 1,000 fails.

The [bold]capacity[/] is the highest arrival rate at which the SLO is met. It is less than the throughput of a closed \
loop, where each user waits for a response: in an [italic]open loop[/] requests arrive whether or not earlier ones \
are answered, and queues grow long before a server is saturated. The search tries a ladder of rates, then halves; a \
rate passes by two tries of three.

The [bold]knee[/] is the rate beyond which more load adds more waiting than throughput: where rate divided by \
mean response time is greatest. It is a good limit for everyday load.

Finally each server gets 1.5 times its capacity for a while: how many requests are answered in time, late or not at \
all, and how long it takes until the SLO is met again.

[dim]sidebyside capacity --slo 20ms --contestant flask-gevent --contestant fastapi-uvicorn --scenario shop[/]
"""


@app.command(help=HELP)
def capacity(
    contestant: Annotated[
        list[str] | None, typer.Option(help="A server; may be repeated. Default: the headline pair.")
    ] = None,
    scenario: Annotated[
        list[str] | None, typer.Option(help="A scenario; may be repeated. Default: item-read.")
    ] = None,
    slo: Annotated[
        str | None, typer.Option(help="Limit for p99 of the response time. Default: 50ms.")
    ] = None,
    arrivals: Annotated[
        str | None,
        typer.Option(help="poisson (the default): random, like independent users; constant: evenly spaced."),
    ] = None,
    budget: Annotated[str | None, typer.Option(help="Total time, such as 5m, 1h. Default: 30m.")] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed for data, order and arrivals.")] = None,
    results_dir: Annotated[str | None, typer.Option(help="Where to create the run's folder.")] = None,
    catalog: CatalogOption = None,
    resume: Annotated[
        Path | None, typer.Option(help="Continue this stopped run: same rules, same seed.")
    ] = None,
) -> None:
    """Search for the capacity of each server, judge and report; HELP says what the words mean."""
    with one_line_errors():
        from loadtests.capacity.progress import CapacityProgress
        from loadtests.capacity.record import load_run, new_run
        from loadtests.capacity.request import Request
        from loadtests.capacity.run import measure, report

        if resume and any(
            (contestant, scenario, slo, arrivals, budget, seed is not None, results_dir, catalog)
        ):
            raise SuiteError("--resume continues the run with its own rules; leave out the other options")
        if resume:
            run, folder = load_run(resume), resume
        else:
            request = Request(
                contestants=tuple(contestant or DEFAULT_CONTESTANTS),
                scenarios=tuple(scenario or DEFAULT_SCENARIOS),
                slo_ms=_slo_ms(slo or "50ms"),
                arrivals=_arrivals(arrivals or "poisson"),
                budget_s=duration_s(budget or "30m"),
                seed=seed or 0,
                catalog=str(catalog or CATALOG),
            )
            run, folder = new_run(request, results_dir or "results")

        with resumable(folder, "capacity", report):
            with CapacityProgress(err, run) as progress:
                measure(run, folder, progress)
            document = report(folder)
        show_document(document, folder)


def _slo_ms(text: str) -> float:
    """Milliseconds out of `50ms`, `0.2s`; SuiteError for anything else or nothing above zero."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(ms|s)", text.strip())
    if not match or float(match[1]) == 0:
        raise SuiteError(f"an SLO looks like 50ms or 0.2s, not {text!r}")
    return float(match[1]) * (1 if match[2] == "ms" else 1000)


def _arrivals(text: str) -> Any:
    if text not in {"poisson", "constant"}:
        raise SuiteError(f"arrivals must be poisson or constant, not {text!r}")
    return text
