"""The tables of a capacity report: capacities, the overload, the curves, the gates."""

from collections.abc import Mapping, Sequence

from loadtests.analysis.summary import Cell as Measured
from loadtests.analysis.summary import Summary
from loadtests.capacity.curves import Point
from loadtests.capacity.verdict import CAPACITY, KNEE, Pair, Surge, find
from loadtests.plan.search import OVERLOAD, RELIEF, Search, surge_s
from loadtests.report import formats, words
from loadtests.report.pairs import contestant_title, scenario_title
from loadtests.report.tables import Cell, Notes, Table, name

GATES: Mapping[str, str] = {
    "generator_lag": "how late the load generator itself sent (p99, ms) at the rate that missed the SLO",
    "pauses": "full garbage collections of the server per step, around its capacity; 3 were planned, 2 are needed",
    "request_count": "difference between the server's count of requests and the client's",
}


def capacity_table(summary: Summary) -> Table:
    """One row per scenario and contestant: capacity and knee with their intervals."""
    notes, columns = (
        Notes(),
        ("scenario", "contestant", "capacity (requests/s)", "knee (requests/s)", "rounds"),
    )
    rows = tuple(
        (
            name(scenario_title(summary, one.scenario)),
            Cell(contestant_title(summary, one.contestant)),
            _figure(one, notes),
            _figure(find(summary.cells, one.scenario, one.contestant, KNEE), notes),
            Cell(str(one.rounds), "number"),
        )
        for one in summary.cells
        if one.metric == CAPACITY
    )
    return Table("Capacity and knee", columns, rows, "Each with its 95 % interval.", notes.texts())


def _figure(one: Measured | None, notes: Notes) -> Cell:
    if one is None or one.value is None:
        return Cell(formats.MISSING, "missing", marks=notes.mark(*one.reasons) if one else ())
    remark = "" if one.low is None else formats.span(one.low, one.high)
    return Cell(formats.number(one.value), "number", remark=remark, marks=notes.mark(*one.reasons))


def curve_table(summary: Summary, scenario: str, curves: Mapping[Pair, Sequence[Point]]) -> Table:
    """One row per contestant and rung of one scenario."""
    rows = tuple(
        (
            name(contestant_title(summary, pair[1])),
            *(Cell(formats.number(one), "number") for one in (point.rate_rps, *_percentiles(point))),
        )
        for pair, own in curves.items()
        for point in own
        if pair[0] == scenario
    )
    columns = ("contestant", "offered (requests/s)", "p50 (ms)", "p95 (ms)", "p99 (ms)")
    about = "Medians over rounds of each round's percentiles."
    return Table(f"Response time against rate: {scenario_title(summary, scenario)}", columns, rows, about)


def _percentiles(point: Point) -> tuple[float, float, float]:
    return point.p50_ms, point.p95_ms, point.p99_ms


def surge_table(summary: Summary, overloads: Mapping[Pair, Surge], rules: Search) -> Table:
    """One row per scenario and contestant: what became of the requests in the overload."""
    length_s = surge_s(rules)
    rows = tuple(
        (
            name(scenario_title(summary, pair[0])),
            Cell(contestant_title(summary, pair[1])),
            *(Cell(formats.percent(share), "number") for share in _shares(one)),
            _recovery(one),
        )
        for pair, one in overloads.items()
    )
    columns = ("scenario", "contestant", "in time", "late", "refused", "timed out", "broken", "recovery")
    about = (
        f"{OVERLOAD:g} times the capacity for {length_s:g} s, then {RELIEF:g} times; shares of the requests that fell"
        " due in the overload, medians over rounds. Recovery runs from the end of the overload to the first request"
        f" from which on the SLO is met; a server that refuses nothing, and can do no more than its capacity,"
        f" needs {length_s:g} s."
    )
    return Table("Overload", columns, rows, about)


def _shares(one: Surge) -> tuple[float, ...]:
    return (
        one.in_time_percent,
        one.late_percent,
        one.refused_percent,
        one.timed_out_percent,
        one.broken_percent,
    )


def _recovery(one: Surge) -> Cell:
    remark = (
        "" if one.recovered == one.rounds else f"in {one.recovered} of {words.count(one.rounds, 'round')}"
    )
    if one.recovery_ms is None:
        return Cell(formats.MISSING, "missing", remark="not during the relief")
    return Cell(formats.quantity(one.recovery_ms, "ms"), "number", remark=remark)


def gate_table(summary: Summary) -> Table:
    """One row per gate, scenario and contestant."""
    rows = tuple(
        (
            name(one.gate.replace("_", " ")),
            Cell(GATES.get(one.gate, "")),
            Cell(f"{contestant_title(summary, one.contestant)}, {scenario_title(summary, one.scenario)}"),
            Cell(formats.number(one.value), "number"),
            Cell(formats.number(one.limit), "number"),
            Cell(one.note, word={True: "", False: "failed", None: "not checked"}[one.ok]),
        )
        for one in summary.gates
    )
    return Table("Gates", ("gate", "what it checks", "where", "found", "limit", "note"), rows)
