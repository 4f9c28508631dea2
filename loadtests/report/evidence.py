"""The tables of evidence: every cell, the gates, a server against itself, the run and the machine."""

from collections.abc import Iterable, Sequence

from loadtests.analysis.summary import Cell as Figure
from loadtests.analysis.summary import GateResult, RunInfo, Summary
from loadtests.config.metrics import METRICS
from loadtests.report import formats, words
from loadtests.report.pairs import scenario_title
from loadtests.report.tables import Cell, Kind, Notes, Table, facts_table, name, ratio_text

FIGURE_METRICS = (
    "throughput_rps",
    "cpu_us_per_request",
    "response_p50_ms",
    "response_p95_ms",
    "response_p99_ms",
    "service_p50_ms",
    "pss_mib",
    "bytes_per_response",
    "requests_per_connection",
    "error_percent",
)
"""The metrics of the tables of figures; summary.json holds every one."""

_FAILURES_NAMED = 3


def figure_tables(summary: Summary) -> tuple[Table, ...]:
    """One table per scenario: one row per contestant, one column per metric."""
    figures = [one for one in summary.cells if one.contestant not in summary.run.twins]
    scenarios = dict.fromkeys((*summary.run.scenarios, *(one.scenario for one in figures)))
    tables = (_figure_table(summary, scenario, figures) for scenario in scenarios)
    return tuple(table for table in tables if table.rows)


def _figure_table(summary: Summary, scenario: str, figures: Iterable[Figure]) -> Table:
    own = {(one.contestant, one.metric): one for one in figures if one.scenario == scenario}
    names = list(dict.fromkeys((*summary.run.contestants, *(who for who, _ in own))))
    metrics = [metric for metric in FIGURE_METRICS if any(metric == what for _, what in own)]
    notes = Notes()
    rows = tuple(
        (name(who), *(_figure(own.get((who, metric)), notes) for metric in metrics))
        for who in names
        if any(who == found for found, _ in own)
    )
    columns = (
        "contestant",
        *(f"{words.metric_title(metric)} ({METRICS[metric].unit})" for metric in metrics),
    )
    return Table(f"Figures: {scenario_title(summary, scenario)}", columns, rows, notes=notes.texts())


def _figure(one: Figure | None, notes: Notes) -> Cell:
    if one is None or one.value is None:
        return Cell(formats.MISSING, "missing", marks=notes.mark(*one.reasons) if one else ())
    remark = "" if one.low is None else formats.span(one.low, one.high)
    kind: Kind = "number" if one.valid else "invalid"
    return Cell(formats.number(one.value), kind, remark=remark, marks=notes.mark(*one.reasons))


def gate_table(summary: Summary) -> Table:
    """One row per gate: what it is about, how often it passed, and why it did not."""
    by_gate: dict[str, list[GateResult]] = {}
    for one in summary.gates:
        if one.contestant not in summary.run.twins:
            by_gate.setdefault(one.gate, []).append(one)
    rows = tuple(_gate_row(summary, gate, found) for gate, found in by_gate.items())
    about = (
        "Each gate checks every contestant in every scenario, and each loop by itself where that makes a difference."
        " One that fails makes the figures of its loop invalid; what could not be checked has not passed."
    )
    return Table(
        "Gates", ("gate", "what it checks", "passed", "not checked", "failed", "where and why"), rows, about
    )


def _gate_row(summary: Summary, gate: str, found: Sequence[GateResult]) -> tuple[Cell, ...]:
    failed = [one for one in found if one.ok is False]
    unchecked = [one for one in found if one.ok is not False and one.value is None]
    failures = [f"{_where(summary, one)}: {one.note}" for one in failed]
    more = len(failures) - _FAILURES_NAMED
    reasons = [f"not checked: {_why(one)}" for one in unchecked[:1]]
    where = "; ".join(
        [*failures[:_FAILURES_NAMED], *([f"and {more} more failures"] if more > 0 else []), *reasons]
    )
    return (
        name(gate.replace("_", " ")),
        Cell(words.GATE_MEANINGS.get(gate, "")),
        Cell(str(len(found) - len(failed) - len(unchecked)), "number"),
        Cell(str(len(unchecked)), "number", word="not checked" if len(unchecked) == len(found) else ""),
        Cell(str(len(failed)), "number", word="failed" if failed else ""),
        Cell(where),
    )


def _where(summary: Summary, one: GateResult) -> str:
    loop = f", {one.loop} loop" if one.loop else ""
    return f"{one.contestant} in {scenario_title(summary, one.scenario)}{loop}"


def _why(one: GateResult) -> str:
    """Why a gate was not checked; summaries of version 0.2 and before say it with other words in front."""
    return one.note.removeprefix("not measured: ")


def twin_table(summary: Summary) -> Table:
    """Contestants against their own second launch: what is reported where nothing differs."""
    notes = Notes()
    rows = tuple(
        (
            name(one.contestant),
            Cell(words.metric_title(one.metric)),
            Cell(ratio_text(one.ratio, one.low, one.high), "number", marks=notes.mark(one.note)),
        )
        for one in summary.noise.aa
        if not one.scenario
    )
    about = "The same server, launched twice, over all scenarios: a ratio away from 1 is measurement error."
    return Table("A server against itself", ("contestant", "metric", "ratio"), rows, about, notes.texts())


def run_table(summary: Summary) -> Table:
    """How much was measured, and by which rules."""
    run = summary.run
    facts = {
        "Run": f"{run.id} ({run.status})",
        "Profile": f"{run.profile}, seed {run.seed}",
        "Design": run.design,
        "Time": f"{formats.moment(run.started_at)}, {formats.duration(run.duration_s)}",
        "Under load": _load_share(run),
        "Rounds": f"{run.rounds}, each with fresh processes",
        "Stopping rule": run.stop_rule or formats.MISSING,
        "Margin of equivalence": formats.share(run.margin),
        "CPU time taken by other machines": formats.percent(summary.noise.steal_percent),
    }
    return facts_table(
        "The run", {**facts, **{f"Note {place}": note for place, note in enumerate(run.notes, 1)}}
    )


def _load_share(run: RunInfo) -> str:
    if run.load_s is None or run.duration_s <= 0:
        return formats.MISSING
    return (
        f"{formats.duration(run.load_s)}, {formats.share(round(run.load_s / run.duration_s, 2))} of the time"
    )


def machine_table(summary: Summary) -> Table:
    """What it was measured on."""
    return facts_table("The machine", dict(summary.run.machine))
