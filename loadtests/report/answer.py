"""The answer that opens a report: three sentences, from the verdicts alone."""

from collections.abc import Sequence

from loadtests.metrics import PER_PROCESS
from loadtests.report import formats, words
from loadtests.report.floors import floor_sentence
from loadtests.report.pairs import Pair, contestant_title, main_pair, scenario_title
from loadtests.summary import Comparison, Summary

_LATENCIES = ("response_p95_ms", "response_p50_ms", "response_p99_ms")
_MOST_NAMED = 2


def answer(summary: Summary) -> tuple[str, str, str]:
    """Who is better at what and how sure that is; what stays open; and the biggest reason for the gap."""
    pair = main_pair(summary)
    if pair is None:
        return _without_pair(summary)
    first = _decided_sentence(summary, pair)
    return _capital(_partial_prefix(summary) + first), _open_sentence(summary, pair), floor_sentence(summary, pair)


def _without_pair(summary: Summary) -> tuple[str, str, str]:
    names = list(dict.fromkeys(cell.contestant for cell in summary.cells))
    titles = [contestant_title(summary, one) for one in names]
    invalid = {(cell.scenario, cell.contestant) for cell in summary.cells if not cell.valid}
    if not names:
        first = "nothing was measured, so there is nothing to compare."
    elif len(names) == 1:
        first = f"only {titles[0]} was measured, so there is nothing to compare it with."
    else:
        first = f"{words.enumerate_(titles)} were measured, but no claim compares them, so no verdict is given."
    second = f"{words.count(len(invalid), 'cell')} of it {words.is_or_are(len(invalid))} invalid because a gate failed."
    third = "Why two servers differ can only be said of a run that holds both."
    return _capital(_partial_prefix(summary) + first), second if invalid else "No gate failed.", third


def _decided_sentence(summary: Summary, pair: Pair) -> str:
    clauses = [clause for side in (1, 0) if (clause := _wins(pair, side))]
    if clauses:
        return "; ".join(clauses) + _certainty(pair)
    a, b = pair.long
    verdicts = {one.verdict for one in pair.measured} | {
        one.verdict for one in pair.comparisons if one.verdict == "invalid"
    }
    if not verdicts:
        return f"{a} and {b} were both run, but no figure of the two could be compared."
    if verdicts == {"invalid"}:
        return f"no verdict on {a} against {b} can be trusted: a gate failed on every comparison."
    if verdicts == {"equivalent"}:
        return f"{a} and {b} are equivalent in all that was measured."
    return f"this run shows no difference between {a} and {b}."


def _wins(pair: Pair, side: int) -> str:
    """`FastAPI on uvicorn needs less CPU a request than Flask on ... in 5 of 7 scenarios (1.2 to 2.3 times less)`."""
    metrics = ["cpu_us_per_request", "throughput_rps", _latency_won(pair, side), "pss_mib"]
    known = [metric for metric in metrics if metric and pair.won_by(side, metric)]
    if not known:
        return ""
    first, *rest = [_win(pair, side, metric) for metric in known]
    than = f" than {pair.long[1 - side]}"
    return f"{pair.long[side]} {words.enumerate_([first.replace('|', than), *(one.replace('|', '') for one in rest)])}"


def _latency_won(pair: Pair, side: int) -> str | None:
    return next((metric for metric in _LATENCIES if pair.won_by(side, metric)), None)
