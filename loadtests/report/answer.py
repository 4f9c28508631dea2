"""The answer that opens a report: three sentences, from the verdicts alone."""

from collections.abc import Sequence

from loadtests.analysis.summary import Comparison, Summary
from loadtests.config.metrics import PER_PROCESS
from loadtests.report import formats, words
from loadtests.report.floors import floor_sentence
from loadtests.report.pairs import Pair, contestant_title, main_pair, scenario_title

_LATENCIES = ("response_p95_ms", "response_p50_ms", "response_p99_ms")
_MOST_NAMED = 2


def answer(summary: Summary) -> tuple[str, ...]:
    """Who is better at what and how sure that is; what is still undecided; and the biggest reason for the gap.

    The answer of a sequential run begins with a warning.
    """
    pair = main_pair(summary)
    if pair is None:
        return _without_pair(summary)
    first = _decided_sentence(summary, pair)
    return (
        *_warning(summary),
        _capital(_partial_prefix(summary) + first),
        _open_sentence(summary, pair),
        floor_sentence(summary, pair),
    )


def _warning(summary: Summary) -> tuple[str, ...]:
    if summary.run.design == "paired":
        return ()
    warning = (
        "This run loaded one server after the other, as most tools do. Noise does not cancel, so the verdicts below may"
        " name the wrong winner: base decisions on a paired run."
    )
    return (warning,)


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


def _decided_sentence(summary: Summary, pair: Pair) -> str:
    clauses = [clause for side in (1, 0) if (clause := _wins(pair, side))]
    if clauses:
        return "; ".join(clauses) + _certainty(pair)
    a, b = pair.long
    verdicts = {one.verdict for one in pair.measured} | {
        one.verdict for one in pair.comparisons if one.verdict == "invalid"
    }
    if not verdicts:
        return f"{a} and {b} were both measured, but none of their figures could be compared."
    if verdicts == {"invalid"}:
        return f"no verdict on {a} against {b} can be trusted: a gate failed on every comparison."
    if verdicts == {"equivalent"}:
        return f"{a} and {b} are equivalent in everything that was measured."
    if "equivalent" in verdicts:
        return f"neither {a} nor {b} is better at anything, as far as this run can tell."
    return f"all comparisons of {a} and {b} are still undecided."


def _wins(pair: Pair, side: int) -> str:
    """`FastAPI on uvicorn needs less CPU per request than Flask on ... in 5 of 7 scenarios (1.2 to 2.3 times less)`."""
    metrics = ["cpu_us_per_request", "throughput_rps", _latency_won(pair, side), "pss_mib"]
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
    return f"{words.does(metric)}|{where} ({by})"


def _certainty(pair: Pair) -> str:
    each = "in each with" if len(pair.measured) > 1 else "with"
    return f", {each} 95 % confidence."


def _open_sentence(summary: Summary, pair: Pair) -> str:
    """What is equal, open, invalid or not measured, with examples; a figure per process counts once."""
    once = _once(pair.comparisons)
    equal = [one for one in once if one.verdict == "equivalent"]
    open_ = [one for one in once if one.verdict == "inconclusive" and one.ratio is not None]
    missing = [one for one in once if one.verdict == "inconclusive" and one.ratio is None]
    invalid = [one for one in once if one.verdict == "invalid"]
    parts = [
        *_part(len(equal), f"equivalent within {formats.share(summary.run.margin)}", ""),
        *_part(len(open_), "undecided", _named(summary, open_)),
        *_part(len(invalid), "invalid", _named(summary, invalid)),
        *_part(len(missing), "not measured", _named(summary, missing)),
    ]
    total = words.count(len(once), "comparison")
    if not parts:
        return f"All {total} are decided." if len(once) > 1 else "Nothing else was compared."
    return f"Of {total}, {words.enumerate_(parts)}."


def _once(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Without the repetitions of what is measured once per process."""
    kept = {
        (one.metric if one.metric in PER_PROCESS else (one.metric, one.scenario)): one for one in comparisons
    }
    return list(kept.values())


def _part(amount: int, state: str, named: str) -> list[str]:
    return [f"{amount} {words.is_or_are(amount)} {state}{named}"] if amount else []


def _named(summary: Summary, comparisons: Sequence[Comparison]) -> str:
    """`(p99 in Ping)`; the first few where there are more."""
    places = [
        f"{words.short_metric(one.metric)} in {scenario_title(summary, one.scenario)}" for one in comparisons
    ]
    more = len(places) - _MOST_NAMED
    listed = places if more <= 0 else [*places[:_MOST_NAMED], f"{more} more"]
    return f" ({words.enumerate_(listed)})"


def _partial_prefix(summary: Summary) -> str:
    if summary.run.status == "complete":
        return ""
    return f"this run was stopped early, after {words.count(summary.run.rounds, 'round')}: "


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
