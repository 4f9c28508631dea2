"""Summaries with the verdicts that a test wants."""

from dataclasses import replace

from loadtests.analysis.summary import Cell, Comparison, Finding, RunInfo, RunNoise, Summary, Verdict
from loadtests.config.metrics import COMPARED, COSTS
from loadtests.config.profiles import Claim
from tests.support.frames import run_of

A, B, FLOOR_A, FLOOR_B = "flask-gthread", "fastapi-uvicorn", "raw-wsgi", "raw-asgi"
TITLES = {
    A: "Flask on gunicorn",
    B: "FastAPI on uvicorn (uvloop)",
    FLOOR_A: "Bare WSGI",
    FLOOR_B: "Bare ASGI",
}
SCENARIOS = {"ping": "Ping", "read": "Read one item"}
CLAIM = Claim(A, B, "Flask against FastAPI", headline=True)
FLOOR_CLAIMS = (Claim(A, FLOOR_A, "What Flask costs"), Claim(B, FLOOR_B, "What FastAPI costs"))
RUN = replace(
    run_of(A, B, claims=(CLAIM,)),
    contestants=TITLES,
    frameworks={A: "flask", B: "fastapi", FLOOR_A: "raw", FLOOR_B: "raw"},
    scenarios=SCENARIOS,
    rounds=8,
    machine={"CPU": "a <fast> one"},
)


def compared(
    verdict: Verdict,
    ratio: float | None = 2.0,
    metric: str = "cpu_us_per_request",
    scenario: str = "ping",
    note: str = "",
    finding: Finding | None = None,
    within: float | None = None,
) -> Comparison:
    """One verdict on A against B, with an interval of 10 % to either side; costs are of the primary family."""
    low, high = (None, None) if ratio is None else (ratio * 0.9, ratio * 1.1)
    undecided: Finding = "not_measured" if ratio is None else "too_noisy"
    return Comparison(
        scenario,
        metric,
        A,
        B,
        ratio,
        low,
        high,
        0.03,
        verdict,
        note=note,
        rounds=8,
        family="primary" if metric in COSTS else "exploratory",
        finding=finding or (undecided if verdict == "inconclusive" else verdict),
        within=within or (0.03 if verdict == "equivalent" else None),
    )


def cost(contestant: str, cpu_us: float, *, valid: bool = True) -> Cell:
    """What a request costs a contestant."""
    return Cell("ping", contestant, "cpu_us_per_request", "µs", cpu_us, None, None, 8, 32, valid)


def summary_of(*comparisons: Comparison, cells: tuple[Cell, ...] = (), run: RunInfo = RUN) -> Summary:
    """A summary of these and nothing else."""
    return Summary(run, cells, comparisons, (), RunNoise(1.0))


def everything(verdict: Verdict, ratio: float | None = 2.0) -> tuple[Comparison, ...]:
    """The same verdict everywhere."""
    return tuple(compared(verdict, ratio, metric, scenario) for scenario in SCENARIOS for metric in COMPARED)
