"""The answer that opens a capacity report: who carries more, and what happens beyond."""

from collections.abc import Mapping

from loadtests.analysis.summary import Cell, Comparison, Finding, Summary
from loadtests.capacity.verdict import CAPACITY, Pair, Surge, find
from loadtests.plan.search import OVERLOAD, RELIEF_TIMES, Search, surge_s
from loadtests.report import formats
from loadtests.report.pairs import contestant_title, main_pair, scenario_title


def answer(summary: Summary, overloads: Mapping[Pair, Surge], rules: Search) -> list[str]:
    """Who carries more; where the knee is; what happens beyond."""
    pair = main_pair(summary)
    decisions = [_decision(summary, one, rules) for one in (pair.comparisons if pair else ())]
    figures = [] if decisions else [_alone(summary, one) for one in summary.cells if one.metric == CAPACITY]
    surged = [_surge_sentence(summary, where, one, rules) for where, one in overloads.items()]
    partial = ["This run was stopped early."] if summary.run.status == "partial" else []
    return [*partial, *decisions, *figures, *surged[:2]] or ["Nothing was measured."]


def _decision(summary: Summary, one: Comparison, rules: Search) -> str:
    a, b = (contestant_title(summary, who) for who in (one.a, one.b))
    where = f"{scenario_title(summary, one.scenario)}: "
    if one.ratio is None:
        return f"{where}{a} and {b} could not be compared; {one.note}."
    rates = " against ".join(_rate(summary, one.scenario, who) for who in (one.a, one.b))
    figures = f"{rates} requests/s within a p99 of {rules.slo_ms:g} ms, ratio {formats.ratio(one.ratio)}"
    if one.low is not None:
        figures += f", 95 % interval {formats.interval(one.low, one.high)}"
    more = f"{formats.factor(one.ratio)} times the load"
    findings: dict[Finding | None, str] = {
        "a_better": f"{a} carries {more} of {b}",
        "a_slightly_better": f"{a} carries slightly more, {more} of {b}",
        "b_slightly_better": f"{b} carries slightly more, {more} of {a}",
        "b_better": f"{b} carries {more} of {a}",
        "equivalent": f"{a} and {b} carry the same load",
        "about_equal": f"{a} and {b} carry about the same load, within {formats.at_most(one.within or 0.0)}",
    }
    decided = findings.get(one.finding, f"{a} against {b} is too noisy to say ({one.note})")
    return f"{where}{decided} ({figures})."


def _alone(summary: Summary, one: Cell) -> str:
    who = f"{scenario_title(summary, one.scenario)}: {contestant_title(summary, one.contestant)}"
    if one.value is None:
        return f"{who} has no measured capacity; {'; '.join(one.reasons) or 'it was not measured'}."
    return f"{who} carries {formats.number(one.value)} requests/s."


def _rate(summary: Summary, scenario: str, contestant: str) -> str:
    found = find(summary.cells, scenario, contestant, CAPACITY)
    return formats.number(found.value if found else None)


def _surge_sentence(summary: Summary, where: Pair, one: Surge, rules: Search) -> str:
    length_s = surge_s(rules)
    after = (
        f"met the SLO again {formats.quantity(one.recovery_ms, 'ms')} after it"
        if one.recovery_ms is not None
        else f"did not meet the SLO again within {RELIEF_TIMES * length_s:g} s"
    )
    return (
        f"{scenario_title(summary, where[0])}: in a surge of {OVERLOAD:g} times its capacity for {length_s:g} s,"
        f" {contestant_title(summary, where[1])} answered {formats.percent(one.in_time_percent)} in time and"
        f" {formats.percent(one.late_percent)} late, failed to answer"
        f" {formats.percent(one.refused_percent + one.timed_out_percent + one.broken_percent)}, and {after}."
    )
