"""The report of a capacity run: `capacity.json`, and the story told in the same form as that of a bench run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from loadtests.analysis.summary import Cell as Figure
from loadtests.analysis.summary import Comparison, Summary
from loadtests.capacity.charts import draw
from loadtests.capacity.curves import Point
from loadtests.capacity.replay import Account
from loadtests.capacity.request import Aim
from loadtests.capacity.verdict import CAPACITY, KNEE, Pair, Surge, grouped, points, surges
from loadtests.plan.search import LAG_SHARE, OVERLOAD, RELIEF, RELIEF_TIMES, surge_s
from loadtests.report import evidence, formats, words
from loadtests.report.document import Story
from loadtests.report.files import write_pages
from loadtests.report.pairs import contestant_title, main_pair, scenario_title
from loadtests.report.tables import Cell, Notes, Table, name, other_pair_tables, verdict_table
from loadtests.samples.outcome import ANSWERS_NEEDED

SCHEMA_VERSION = 1

HOW_TO_READ = (
    "Capacity is the highest rate of requests at which a server keeps its promise: p99 of the response time under the"
    " SLO, errors below 0.1 %. Every ratio is a / b, the first server over the second: 0.50 means half the load. The"
    " range beside it holds the true ratio with 95 % confidence. If it leaves out 1, one server carries more; if it"
    " lies within the margin on both sides of 1, the two are equivalent; otherwise the run was too short, or the"
    " machine too noisy, to tell."
)
GATES: Mapping[str, str] = {
    "generator_lag": "how late the load generator itself sent (p99, ms) at the rate that missed the SLO",
    "request_count": "by how many requests the server's own count differs from the client's",
}


def write_report(summary: Summary, accounts: Sequence[Account], aim: Aim, folder: Path) -> Story:
    """Write `capacity.json`, `summary.json`, the pages and the charts into the run's folder; returns what they tell."""
    document = {"schema_version": SCHEMA_VERSION, **_document(accounts, aim)}
    text = json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False)
    (folder / "capacity.json").write_text(text + "\n", encoding="utf-8")
    (folder / "summary.json").write_text(summary.to_json(), encoding="utf-8")
    story = tell(summary, accounts, aim)
    write_pages(story, draw(summary, accounts, aim), folder)
    return story


def tell(summary: Summary, accounts: Sequence[Account], aim: Aim) -> Story:
    """The story of a capacity run."""
    pair, held = main_pair(summary), grouped(accounts)
    tables = (
        _capacity_table(summary),
        _surge_table(summary, surges(held), aim),
        *(_curve_table(summary, scenario, points(held)) for scenario in summary.run.scenarios),
    )
    return Story(
        title=f"Capacity within {aim.slo_ms:g} ms{f': {pair.title}' if pair else ''}",
        answer=tuple(_answer(summary, surges(held), aim)),
        verdicts=verdict_table(summary, pair) if pair and pair.metrics else None,
        other_pairs=other_pair_tables(summary),
        figures=tuple(table for table in tables if table.rows),
        checks=(_gate_table(summary),) if summary.gates else (),
        circumstances=(evidence.run_table(summary), evidence.machine_table(summary)),
        how_to_read=HOW_TO_READ,
        method=method(aim),
    )


def method(aim: Aim) -> str:
    """How it was measured, in words, with the rules that were fixed beforehand."""
    search = aim.searches[0]
    rungs = ", ".join(f"{rung:g}" for rung in search.rungs)
    return (
        "In every round all servers are launched afresh and stay up together; they take turns, step by step, in an"
        " order drawn from the seed. A short closed loop gives a server's throughput T. Then come open loops,"
        f" {_arrivals(aim)}, at {rungs} times T, and on upwards or downwards until one rate meets the SLO and a higher"
        " one misses it; between these the logarithm of the rate is halved until they are"
        f" {formats.share(search.resolution - 1)} apart, {search.bisections} times at most. A step lasts"
        f" {search.step_s:g} s, longer where {ANSWERS_NEEDED} answers take longer, so an overload of less than"
        f" {formats.share(aim.slo_ms / 1000 / search.step_s)} may go unseen. A step that misses the SLO is tried a"
        " second time, and the second try decides: a stall of the machine must not send the search the wrong way."
        " Response times count from when a request was due, whether or not a connection was free to send it; there are"
        f" {search.users}. A round in which the SLO was missed because the load generator itself was late, by"
        f" more than {formats.share(LAG_SHARE)} of the SLO, is set aside. The knee is the rung with"
        " the greatest power, rate / mean response time (Kleinrock 1979). At the end of a search"
        f" {OVERLOAD:g} times the capacity is offered for {surge_s(search):g} s, then at once {RELIEF:g} times for"
        f" {RELIEF_TIMES * surge_s(search):g} s. Capacities are geometric means over rounds, with Student's interval:"
        " one launch is one observation. Ratios are paired by round."
    )


def _arrivals(aim: Aim) -> str:
    return "with Poisson arrivals" if aim.arrivals == "poisson" else "with evenly spaced arrivals"


def _answer(summary: Summary, overloads: Mapping[Pair, Surge], aim: Aim) -> list[str]:
    """Who carries more; where the knee is; what happens beyond."""
    pair = main_pair(summary)
    told = [_decision(summary, one, aim) for one in (pair.comparisons if pair else ())]
    figures = [] if told else [_alone(summary, one) for one in summary.cells if one.metric == CAPACITY]
    surged = [_surge_sentence(summary, where, one, aim) for where, one in overloads.items()]
    partial = ["This run was stopped early."] if summary.run.status == "partial" else []
    return [*partial, *told, *figures, *surged[:2]] or ["Nothing was measured."]


def _decision(summary: Summary, one: Comparison, aim: Aim) -> str:
    a, b = (contestant_title(summary, who) for who in (one.a, one.b))
    where = f"{scenario_title(summary, one.scenario)}: "
    if one.ratio is None:
        return f"{where}{a} and {b} could not be compared; {one.note}."
    rates = " against ".join(_rate(summary, one.scenario, who) for who in (one.a, one.b))
    figures = f"{rates} requests/s within a p99 of {aim.slo_ms:g} ms, ratio {formats.ratio(one.ratio)}"
    if one.low is not None:
        figures += f", 95 % interval {formats.interval(one.low, one.high)}"
    verdicts = {
        "a_better": f"{a} carries {formats.factor(one.ratio)} times the load of {b}",
        "b_better": f"{b} carries {formats.factor(one.ratio)} times the load of {a}",
        "equivalent": f"{a} and {b} carry the same load",
    }
    decided = verdicts.get(one.verdict, f"between {a} and {b} nothing is decided yet ({one.note})")
    return f"{where}{decided} ({figures})."


def _alone(summary: Summary, one: Figure) -> str:
    who = f"{scenario_title(summary, one.scenario)}: {contestant_title(summary, one.contestant)}"
    if one.value is None:
        return f"{who} has no capacity; {'; '.join(one.reasons) or 'it was not measured'}."
    return f"{who} carries {formats.number(one.value)} requests/s."


def _rate(summary: Summary, scenario: str, contestant: str) -> str:
    found = _find(summary, scenario, contestant, CAPACITY)
    return formats.number(found.value if found else None)


def _surge_sentence(summary: Summary, where: Pair, one: Surge, aim: Aim) -> str:
    length_s = surge_s(aim.searches[0])
    after = (
        f"met the SLO again {formats.quantity(one.recovery_ms, 'ms')} after it"
        if one.recovery_ms is not None
        else f"did not meet the SLO again within {RELIEF_TIMES * length_s:g} s"
    )
    return (
        f"{scenario_title(summary, where[0])}: in a surge of {OVERLOAD:g} times its capacity for {length_s:g} s,"
        f" {contestant_title(summary, where[1])} answered {formats.percent(one.in_time_percent)} in time and"
        f" {formats.percent(one.late_percent)} late, failed"
        f" {formats.percent(one.refused_percent + one.timed_out_percent + one.broken_percent)}, and {after}."
    )


def _capacity_table(summary: Summary) -> Table:
    notes, columns = (
        Notes(),
        ("scenario", "contestant", "capacity (requests/s)", "knee (requests/s)", "rounds"),
    )
    rows = tuple(
        (
            name(scenario_title(summary, one.scenario)),
            Cell(contestant_title(summary, one.contestant)),
            _figure(one, notes),
            _figure(_find(summary, one.scenario, one.contestant, KNEE), notes),
            Cell(str(one.rounds), "number"),
        )
        for one in summary.cells
        if one.metric == CAPACITY
    )
    return Table("Capacity and knee", columns, rows, "Beside each its 95 % interval.", notes.texts())


def _figure(one: Figure | None, notes: Notes) -> Cell:
    if one is None or one.value is None:
        return Cell(formats.MISSING, "missing", marks=notes.mark(*one.reasons) if one else ())
    remark = "" if one.low is None else formats.span(one.low, one.high)
    return Cell(formats.number(one.value), "number", remark=remark, marks=notes.mark(*one.reasons))


def _curve_table(summary: Summary, scenario: str, curves: Mapping[Pair, Sequence[Point]]) -> Table:
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


def _surge_table(summary: Summary, overloads: Mapping[Pair, Surge], aim: Aim) -> Table:
    length_s = surge_s(aim.searches[0])
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
        f" from which on the SLO is met; a queue that refuses nothing needs {length_s:g} s if its capacity is all it"
        " can do."
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
        return Cell(formats.MISSING, "missing", remark="not within the relief")
    return Cell(formats.quantity(one.recovery_ms, "ms"), "number", remark=remark)


def _gate_table(summary: Summary) -> Table:
    rows = tuple(
        (
            name(one.gate.replace("_", " ")),
            Cell(GATES.get(one.gate, "")),
            Cell(f"{contestant_title(summary, one.contestant)}, {scenario_title(summary, one.scenario)}"),
            Cell(formats.number(one.value), "number"),
            Cell(formats.number(one.limit), "number"),
            Cell(one.note, word="" if one.ok else "failed"),
        )
        for one in summary.gates
    )
    return Table("Gates", ("gate", "about", "where", "found", "limit", "note"), rows)


def _find(summary: Summary, scenario: str, contestant: str, metric: str) -> Figure | None:
    wanted = (scenario, contestant, metric)
    found = (one for one in summary.cells if (one.scenario, one.contestant, one.metric) == wanted)
    return next(found, None)


def _document(accounts: Sequence[Account], aim: Aim) -> dict[str, Any]:
    held = grouped(accounts)
    return {
        "aim": asdict(aim),
        "curves": [
            {"scenario": scenario, "contestant": contestant, "points": [asdict(point) for point in own]}
            for (scenario, contestant), own in points(held).items()
        ],
        "overload": [
            {"scenario": scenario, "contestant": contestant, **asdict(one)}
            for (scenario, contestant), one in surges(held).items()
        ],
        "searches": [_searched(one) for one in accounts],
    }


def _searched(one: Account) -> dict[str, Any]:
    return {
        "round": one.round,
        "scenario": one.search.scenario,
        "contestant": one.search.contestant,
        "capacity_rps": one.capacity_rps,
        "failing_rps": one.failing_rps,
        "reason": one.reason,
        "knee_rps": one.knee_rps,
        "overload": None if one.overload is None else asdict(one.overload),
        "steps": [
            {**asdict(step), **asdict(outcome), "met": one.search.is_met(outcome)}
            for step, outcome in one.trail
        ],
    }
