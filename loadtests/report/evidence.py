"""The tables of evidence: every cell, the gates, the run and the machine."""

from collections.abc import Mapping, Sequence

from loadtests.analysis.summary import Cell as Figure
from loadtests.analysis.summary import GateResult, RunInfo, Summary
from loadtests.config.metrics import (
    AT_HALF_LOAD,
    COSTS,
    DATABASE,
    METRICS,
    PAUSES,
    PER_PROCESS,
    WITH_DATABASE,
    kind_of,
)
from loadtests.report import formats, words
from loadtests.report.pairs import scenario_title
from loadtests.report.tables import Cell, Kind, Notes, Table, facts_table, name

CLOSED_METRICS = (
    *COSTS,
    *PAUSES,
    DATABASE[0],
    WITH_DATABASE,
    AT_HALF_LOAD,
    DATABASE[1],
    "bytes_per_response",
    "requests_per_connection",
    "error_percent",
)
OPEN_METRICS = tuple(name for name in METRICS if kind_of(name) == "latency")
"""The metrics of the tables of figures, those of the closed loop and latencies; summary.json holds every one."""

_ABOUT_CLOSED = (
    "With plain 95 % intervals. CPU time per request is that without pauses plus that of pauses; a pause is a full"
    " garbage collection. At half load means in the open loop, whose rate is the same for all."
)
_ABOUT_OPEN = (
    "At the same arrival rate for all; percentiles of all requests of all rounds"
    " together, with plain 95 % intervals. A response time counts from when the request was due, a service time from"
    " when it was sent."
)

_FAILURES_NAMED = 3


def figure_tables(summary: Summary) -> tuple[Table, ...]:
    """Two tables per scenario, costs and latencies: one row per contestant, one column per metric; then memory."""
    scenarios = dict.fromkeys(
        (*summary.run.scenarios, *(one.scenario for one in summary.cells if one.scenario))
    )
    tables = [
        _figure_table(summary, title, about, dict.fromkeys(metrics, scenario))
        for scenario in scenarios
        for title, about, metrics in (
            (f"Figures: {scenario_title(summary, scenario)}", _ABOUT_CLOSED, CLOSED_METRICS),
            (f"Latencies: {scenario_title(summary, scenario)}", _ABOUT_OPEN, OPEN_METRICS),
        )
    ]
    return tuple(table for table in (*tables, memory_table(summary)) if table.rows)


def memory_table(summary: Summary) -> Table:
    """Memory once per contestant: private, or, in runs of version 0.2 and before, with shared pages divided."""
    found = next((one for name in PER_PROCESS for one in summary.cells if one.metric == name), None)
    about = "At the end of a round, once per server, with its plain 95 % interval."
    return _figure_table(summary, "Memory", about, {found.metric: found.scenario} if found else {})


def _figure_table(summary: Summary, title: str, about: str, shown: Mapping[str, str]) -> Table:
    """shown: metric -> the scenario that its figures are of."""
    own = {
        (one.contestant, one.metric): one
        for one in summary.cells
        if shown.get(one.metric) == one.scenario and one.contestant not in summary.run.twins
    }
    names = list(dict.fromkeys((*summary.run.contestants, *(who for who, _ in own))))
    metrics = [metric for metric in shown if any(metric == what for _, what in own)]
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
    return Table(title, columns, rows, about, notes.texts())


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
    unchecked = [one for one in found if one.ok is None]
    failures = [f"{_where(summary, one)}: {one.note}" for one in failed]
    more = len(failures) - _FAILURES_NAMED
    reasons = [f"not checked: {why}" for why in dict.fromkeys(map(_why, unchecked))]
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


def gate_sentence(summary: Summary) -> str:
    """`Gates: 210 passed, 2 failed (bytes), 14 were not checked (send lag tail).`"""
    by_outcome: dict[bool | None, list[GateResult]] = {True: [], False: [], None: []}
    for one in summary.gates:
        by_outcome[one.ok].append(one)
    parts = [
        f"{len(found)} {state}{_gates_named(found) if ok is not True else ''}"
        for ok, state in ((True, "passed"), (False, "failed"), (None, "were not checked"))
        if (found := by_outcome[ok])
    ]
    return f"Gates: {', '.join(parts)}." if parts else ""


def _gates_named(found: Sequence[GateResult]) -> str:
    return f" ({words.enumerate_(list(dict.fromkeys(one.gate.replace('_', ' ') for one in found)))})"


def _where(summary: Summary, one: GateResult) -> str:
    loop = f", {one.loop} loop" if one.loop else ""
    return f"{one.contestant} in {scenario_title(summary, one.scenario)}{loop}"


def _why(one: GateResult) -> str:
    """Why a gate was not checked."""
    return one.note.removeprefix("not measured: ")


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
