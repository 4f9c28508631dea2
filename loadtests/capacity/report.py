"""The report of a capacity run, in the same form as that of a bench run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from loadtests.analysis.summary import Summary
from loadtests.capacity.answer import answer
from loadtests.capacity.charts import draw
from loadtests.capacity.export import exported
from loadtests.capacity.record import CapacityRun
from loadtests.capacity.replay import Replay
from loadtests.capacity.tables import capacity_table, curve_table, gate_table, surge_table
from loadtests.capacity.verdict import grouped, points, surges
from loadtests.plan.search import LAG_SHARE, OVERLOAD, RELIEF, RELIEF_TIMES, Rule, Search, surge_s
from loadtests.report import evidence, formats
from loadtests.report.document import Document
from loadtests.report.files import write_pages
from loadtests.report.pairs import main_pair
from loadtests.report.tables import other_pair_tables, verdict_table
from loadtests.runs.folder import write_whole
from loadtests.samples.outcome import ANSWERS_NEEDED

HOW_TO_READ = (
    "Capacity is the highest rate of requests at which a server keeps its promise: p99 of the response time under the"
    " SLO, errors below 0.1 %. Every ratio is a / b, the first server over the second: 0.50 means half the load. The"
    " range next to it is the plain 95 % interval. If it excludes 1, one server carries more; if it lies within the"
    " margin on both sides of 1, the two are equivalent; otherwise the run was too short, or the machine too noisy, to"
    " tell. Verdicts on the pair that opens the report follow from wider intervals, so that all of them hold together"
    " (Holm)."
)

DECIDED: Mapping[Rule, str] = {
    "second try": (
        "A step that misses the SLO is tried a second time, and the second try decides (the rule of version 0.2): even"
        " odds so become three in four, and capacities come out a little too high."
    ),
    "two of three": (
        "A rate passes by two tries of three; the third is left out where the first two agree. That goes for all rates"
        " that the result rests on: the rungs next to the turn from passing to failing, rungs that contradict each"
        " other, and every step of the bisection; other rungs are tried once. The turn is where the fewest rungs"
        " contradict it. The capacity is the geometric mean of the highest rate that passed and the lowest that failed,"
        " hence where a step passes with even odds."
    ),
}


def write_report(summary: Summary, replays: Sequence[Replay], run: CapacityRun, folder: Path) -> Document:
    """Write `capacity.json`, `summary.json`, the pages and the charts into the run's folder; returns the document."""
    write_whole(folder / "capacity.json", exported(replays, run.request))
    (folder / "summary.json").write_text(summary.to_json(), encoding="utf-8")
    document = document_of(summary, replays, run.rules)
    write_pages(document, draw(summary, replays, run.rules), folder)
    return document


def document_of(summary: Summary, replays: Sequence[Replay], rules: Search) -> Document:
    """What the report of a capacity run says."""
    pair, held = main_pair(summary), grouped(replays)
    tables = (
        capacity_table(summary),
        surge_table(summary, surges(held), rules),
        *(curve_table(summary, scenario, points(held)) for scenario in summary.run.scenarios),
    )
    return Document(
        title=f"Capacity within {rules.slo_ms:g} ms{f': {pair.title}' if pair else ''}",
        answer=tuple(answer(summary, surges(held), rules)),
        verdicts=verdict_table(summary, pair) if pair and pair.metrics else None,
        other_pairs=other_pair_tables(summary),
        figures=tuple(table for table in tables if table.rows),
        checks=(gate_table(summary),) if summary.gates else (),
        circumstances=(evidence.run_table(summary), evidence.machine_table(summary)),
        how_to_read=HOW_TO_READ,
        method=method(rules),
    )


def method(rules: Search) -> str:
    """How it was measured, in words, with the rules that were fixed beforehand."""
    rungs = ", ".join(f"{rung:g}" for rung in rules.rungs)
    return (
        "In every round all servers are started as fresh processes and run at the same time; they take turns, step by"
        " step, in an order drawn from the seed. A short closed loop gives a server's throughput T. Then come open"
        f" loops, {_arrivals(rules)}, at {rungs} times T, and on upwards or downwards until one rate meets the SLO and"
        " a higher one misses it; between these the search bisects, on a logarithmic scale, until they are"
        f" {formats.share(rules.resolution - 1)} apart, {rules.bisections} times at most. A step lasts {rules.step_s:g}"
        f" s, longer where {ANSWERS_NEEDED} answers take longer, so an overload of less than"
        f" {formats.share(rules.slo_ms / 1000 / rules.step_s)} may go unseen. {_for_pauses(rules)}{DECIDED[rules.rule]}"
        " Response times count from when a request was due, whether or not a connection was free to send it; there are"
        f" {rules.users} connections. A round in which the SLO was missed because the load generator itself was late,"
        f" by more than {formats.share(LAG_SHARE)} of the SLO, is set aside. The knee is the rung with the greatest"
        f" power, rate / mean response time (Kleinrock 1979). At the end of a search {OVERLOAD:g} times the capacity is"
        f" offered for {surge_s(rules):g} s, then at once {RELIEF:g} times for {RELIEF_TIMES * surge_s(rules):g} s."
        " Capacities are geometric means over rounds, with Student's interval: one launch is one observation. Ratios"
        " are paired by round."
    )


def _for_pauses(rules: Search) -> str:
    if not rules.pauses:
        return ""
    return (
        "Where a server reports its garbage collections, the closed loop tells how many requests lie between two full"
        f" ones, and a step lasts until there were requests enough for {rules.pauses}, {rules.pause_limit_s:g} s at"
        " most. "
    )


def _arrivals(rules: Search) -> str:
    return "with Poisson arrivals" if rules.arrivals == "poisson" else "with evenly spaced arrivals"
