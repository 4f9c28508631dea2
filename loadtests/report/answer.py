"""The answer that opens a report: a few sentences, from the summary alone."""

from collections.abc import Sequence
from dataclasses import replace

from loadtests.analysis.summary import Comparison, Finding, Summary
from loadtests.config.metrics import PER_PROCESS
from loadtests.report import formats, words
from loadtests.report.floors import floor_sentence
from loadtests.report.itself import itself_sentence
from loadtests.report.pairs import Pair, contestant_title, main_pair, scenario_title
from loadtests.report.pauses import pause_sentence

_LATENCIES = ("response_p95_ms", "response_p50_ms", "response_p99_ms")
_MOST_NAMED = 2


def answer(summary: Summary) -> tuple[str, ...]:
    """Who is better at what and how sure that is; what is still undecided; and the biggest reason for the gap.

    A warning comes first where the run was sequential; what pauses cost, and what a server against itself showed, come
    last.
    """
    pair = main_pair(summary)
    if pair is None:
        return _without_pair(summary)
    counted = replace(
        pair, comparisons=tuple(one for one in pair.comparisons if one.scenario not in summary.run.waiting)
    )
    parts = (
        _warning(summary),
        _capital(_partial_prefix(summary) + _decided_sentence(counted)),
        " ".join(
            part for part in (_open_sentence(summary, counted), _waiting_sentence(summary, pair)) if part
        ),
        floor_sentence(summary, pair),
        pause_sentence(summary, pair),
        itself_sentence(summary),
    )
    return tuple(part for part in parts if part)


def _warning(summary: Summary) -> str:
    if summary.run.design == "paired":
        return ""
    return (
        "This run loaded one server after the other, as most tools do. Noise does not cancel, so the verdicts below may"
        " name the wrong winner: base decisions on a paired run."
    )


def _without_pair(summary: Summary) -> tuple[str, str, str]:
    names = list(
        dict.fromkeys(cell.contestant for cell in summary.cells if cell.contestant not in summary.run.twins)
    )
    titles = [contestant_title(summary, one) for one in names]
    invalid = {(cell.scenario, cell.contestant) for cell in summary.cells if not cell.valid}
    if not names:
        first = "nothing was measured, so there is nothing to compare."
    elif len(names) == 1:
        first = f"only {titles[0]} was measured, so there is nothing to compare it with."
    else:
        named = words.enumerate_(titles)
        first = f"{named} were measured, but no claim (claims.toml) compares them, so no verdict is given."
    second = (
        f"{words.count(len(invalid), 'cell')} {words.is_or_are(len(invalid))} invalid because a gate failed."
    )
    remedy = "measure both in one run" if len(names) < 2 else "add a claim that compares them"
    third = f"To see why two servers differ, {remedy}."
    return _capital(_partial_prefix(summary) + first), second if invalid else "No gate failed.", third


def _decided_sentence(pair: Pair) -> str:
    clauses = [clause for side in (1, 0) if (clause := _wins(pair, side))]
    if clauses:
        return f"{'; '.join(clauses)}. {_certainty(pair)}"
    a, b = pair.long
    found = {one.finding for one in pair.comparisons if one.ratio is not None or one.verdict == "invalid"}
    if not found:
        why = "none of their figures could be compared" if pair.comparisons else "only where requests wait"
        return f"{a} and {b} were both measured, but {why}."
    if found == {"invalid"}:
        return f"no verdict on {a} against {b} can be trusted: a gate failed on every comparison."
    if found <= {"equivalent", "about_equal"}:
        reach = formats.at_most(max(one.within or 0.0 for one in pair.measured))
        equal = "equivalent" if found == {"equivalent"} else "about equal"
        return f"{a} and {b} are {equal} in everything that was measured, within {reach}."
    if found & {"equivalent", "about_equal"}:
        return f"neither {a} nor {b} is better at anything, as far as this run can tell."
    return f"no comparison of {a} and {b} is decided: the run was too short, or the machine too noisy."


def _wins(pair: Pair, side: int) -> str:
    """`FastAPI on uvicorn needs less CPU per request than Flask on ... in 5 of 7 scenarios (1.2 to 2.3 times less)`."""
    metrics = ["cpu_us_per_request", "throughput_rps", _latency_won(pair, side), *PER_PROCESS]
    known = [metric for metric in metrics if metric and pair.won_by(side, metric)]
    if not known:
        return ""
    first, *rest = [_win(pair, side, metric) for metric in known]
    than = f" than {pair.long[1 - side]}"
    return f"{pair.long[side]} {words.enumerate_([first.replace('|', than), *(one.replace('|', '') for one in rest)])}"


def _latency_won(pair: Pair, side: int) -> str | None:
    return next((metric for metric in _LATENCIES if pair.won_by(side, metric)), None)


def _win(pair: Pair, side: int, metric: str) -> str:
    """What the side does better, where and by how much; `|` stands where `than ...` may go."""
    won = pair.won_by(side, metric)
    sizes = sorted(max(one.ratio, 1 / one.ratio) for one in won if one.ratio)
    smallest, largest = formats.factor(sizes[0]), formats.factor(sizes[-1])
    by = f"by a factor of {smallest}" if smallest == largest else f"by factors of {smallest} to {largest}"
    total = sum(one.metric == metric for one in pair.comparisons)
    share = f"all {total}" if len(won) == total else f"{len(won)} of {total}"
    where = "" if total == 1 or metric in PER_PROCESS else f" in {share} scenarios"
    return f"{words.does(metric)}|{where}{_slightly(won)} ({by})"


def _slightly(won: Sequence[Comparison]) -> str:
    """In how many it may be by less than the margin."""
    slight = sum(one.finding in {"a_slightly_better", "b_slightly_better"} for one in won)
    if slight == len(won):
        return ", only slightly"
    return f", slightly in {slight} of them" if slight else ""


def _certainty(pair: Pair) -> str:
    """How sure the winners are: those of the primary family together, others each by itself."""
    won = [one for metric in pair.metrics for side in (0, 1) for one in pair.won_by(side, metric)]
    sure = words.enumerate_(
        list(dict.fromkeys(words.short_metric(one.metric) for one in won if one.family == "primary"))
    )
    if not sure:
        return "Verdicts that are exploratory, as here, have 95 % confidence each, not together."
    rest = "; other verdicts are exploratory" if any(one.family == "exploratory" for one in won) else ""
    return f"With 95 % confidence no winner in {sure} is wrong{rest}."


def _open_sentence(summary: Summary, pair: Pair) -> str:
    """What is equal, open, invalid or not measured, with examples; a figure per process counts once."""
    once = _once(pair.comparisons)
    by_finding: dict[Finding | None, list[Comparison]] = {}
    for one in once:
        by_finding.setdefault(one.finding, []).append(one)
    near = by_finding.get("about_equal", [])
    states: dict[Finding, str] = {
        "equivalent": f"equivalent within {formats.share(summary.run.margin)}",
        "about_equal": f"about equal within {formats.at_most(max((one.within or 0.0 for one in near), default=0.0))}",
        "too_noisy": "too noisy to say",
        "invalid": "invalid",
        "not_measured": "not measured",
    }
    parts = [
        f"{len(found)} {words.is_or_are(len(found))} {state}{_named(summary, found) if name != 'equivalent' else ''}"
        for name, state in states.items()
        if (found := by_finding.get(name, []))
    ]
    total = words.count(len(once), "comparison")
    if not parts:
        return f"All {total} are decided." if len(once) > 1 else "Nothing else was compared."
    return f"Of {total}, {words.enumerate_(parts)}."


def _waiting_sentence(summary: Summary, pair: Pair) -> str:
    waiting = [scenario_title(summary, one) for one in pair.scenarios if one in summary.run.waiting]
    if not waiting:
        return ""
    return f"Not counted: {words.enumerate_(waiting)}; where requests wait, figures follow from users and threads."


def _once(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Without the repetitions of what is measured once per process."""
    kept = {
        (one.metric if one.metric in PER_PROCESS else (one.metric, one.scenario)): one for one in comparisons
    }
    return list(kept.values())


def _named(summary: Summary, comparisons: Sequence[Comparison]) -> str:
    """` (p99 in Ping)`; the first few where there are more."""
    places = [_place(summary, one) for one in comparisons]
    more = len(places) - _MOST_NAMED
    listed = places if more <= 0 else [*places[:_MOST_NAMED], f"{more} more"]
    return f" ({words.enumerate_(listed)})"


def _place(summary: Summary, one: Comparison) -> str:
    metric = words.short_metric(one.metric)
    return metric if one.metric in PER_PROCESS else f"{metric} in {scenario_title(summary, one.scenario)}"


def _partial_prefix(summary: Summary) -> str:
    if summary.run.status == "complete":
        return ""
    return f"this run was stopped early, after {words.count(summary.run.rounds, 'round')}: "


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
