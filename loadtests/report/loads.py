"""Latency against load: tables of response times at shares of each server's own throughput."""

from loadtests.analysis.summary import Load, Summary
from loadtests.report import formats
from loadtests.report.pairs import contestant_title, scenario_title
from loadtests.report.tables import Cell, Kind, Notes, Table, name

_COLUMNS = (
    "contestant",
    "of its own throughput",
    "rate (requests/s)",
    "p50 (ms)",
    "p95 (ms)",
    "p99 (ms)",
    "p99.9 (ms)",
    "longest (ms)",
    "requests",
)
_ABOUT = (
    "Response times in an open loop at shares of what each server itself can do in a closed loop, so at different"
    " rates; all other latencies of this report are at one rate for all. Percentiles of all requests of all rounds"
    " together, with plain 95 % intervals."
)


def load_tables(summary: Summary) -> tuple[Table, ...]:
    """One table per scenario that was measured so: one row per contestant and load."""
    scenarios = dict.fromkeys(one.scenario for one in summary.loads)
    return tuple(_table(summary, scenario) for scenario in scenarios)


def _table(summary: Summary, scenario: str) -> Table:
    notes = Notes()
    rows = tuple(_row(summary, one, notes) for one in summary.loads if one.scenario == scenario)
    title = f"Latency against load: {scenario_title(summary, scenario)}"
    return Table(title, _COLUMNS, rows, _ABOUT, notes.texts())


def _row(summary: Summary, one: Load, notes: Notes) -> tuple[Cell, ...]:
    return (
        name(contestant_title(summary, one.contestant), notes.mark(*one.reasons)),
        Cell(formats.share(one.own_load), "number"),
        Cell(formats.number(one.rate_rps), "number"),
        _time(one, one.p50_ms, one.p50_low_ms, one.p50_high_ms),
        _time(one, one.p95_ms),
        _time(one, one.p99_ms, one.p99_low_ms, one.p99_high_ms),
        _time(one, one.p999_ms),
        _time(one, one.max_ms),
        Cell(formats.number(one.samples), "number"),
    )


def _time(
    one: Load, value_ms: float | None, low_ms: float | None = None, high_ms: float | None = None
) -> Cell:
    if value_ms is None:
        return Cell(formats.MISSING, "missing")
    kind: Kind = "number" if one.valid else "invalid"
    return Cell(
        formats.number(value_ms), kind, remark="" if low_ms is None else formats.span(low_ms, high_ms)
    )
