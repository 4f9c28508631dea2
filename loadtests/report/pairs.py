"""Pairs of contestants as a report speaks of them: their names, their comparisons, their floors."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from loadtests.analysis.summary import BARE, Comparison, Finding, Summary
from loadtests.config.metrics import COMPARED, PER_PROCESS
from loadtests.config.profiles import headline
from loadtests.report import formats, words


@dataclass(frozen=True, slots=True)
class Pair:
    """Two contestants, a against b, with all comparisons between them.

    The long names tell servers apart (`Flask on gunicorn gthread`), the short ones fit a table (`Flask`);
    the short names differ from each other.
    """

    a: str
    b: str
    title: str
    headline: bool
    long: tuple[str, str]
    short: tuple[str, str]
    comparisons: tuple[Comparison, ...]

    @property
    def measured(self) -> tuple[Comparison, ...]:
        """The comparisons that have a ratio."""
        return tuple(one for one in self.comparisons if one.ratio is not None)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics with at least one ratio, in the order of COMPARED, others after them."""
        return _ordered({one.metric: None for one in self.measured})

    @property
    def unmeasured_metrics(self) -> tuple[str, ...]:
        """The metrics that have no ratio in any scenario."""
        names = {one.metric: None for one in self.comparisons}
        return tuple(name for name in _ordered(names) if name not in self.metrics)

    @property
    def scenarios(self) -> tuple[str, ...]:
        """The scenarios that both answered, in the order of the run."""
        return tuple(dict.fromkeys(one.scenario for one in self.comparisons if one.scenario))

    @property
    def memory(self) -> Comparison | None:
        """The comparison of what is measured once per process; runs of version 0.2 and before repeat it."""
        return next((one for one in self.comparisons if one.metric in PER_PROCESS), None)

    def find(self, scenario: str, metric: str) -> Comparison | None:
        """The comparison of one metric in one scenario."""
        found = (one for one in self.comparisons if (one.scenario, one.metric) == (scenario, metric))
        return next(found, None)

    def won_by(self, side: int, metric: str) -> tuple[Comparison, ...]:
        """What a (side 0) or b (side 1) is better at."""
        verdict = ("a_better", "b_better")[side]
        return tuple(one for one in self.comparisons if one.metric == metric and one.verdict == verdict)


def pairs(summary: Summary) -> tuple[Pair, ...]:
    """All pairs that have comparisons, the first headline first, then in the order of the claims."""
    grouped: dict[tuple[str, str], list[Comparison]] = {}
    for claim in summary.run.claims:
        grouped[claim.a, claim.b] = []
    for one in summary.comparisons:
        grouped.setdefault((one.a, one.b), []).append(one)
    built = [_pair(summary, a, b, found) for (a, b), found in grouped.items() if found]
    first = headline(built)
    return tuple(sorted(built, key=lambda pair: pair is not first))


def main_pair(summary: Summary) -> Pair | None:
    """The pair that opens the report: the first headline, else the first pair; None without any."""
    return next(iter(pairs(summary)), None)


def floor_of(summary: Summary, contestant: str) -> str | None:
    """The bare server under a contestant, by the claim that compares the two."""
    floors = (claim.b for claim in summary.run.claims if claim.a == contestant)
    return next((name for name in floors if summary.run.frameworks.get(name) == BARE), None)


def contestant_title(summary: Summary, contestant: str) -> str:
    """The contestant's title, its name where the run has none."""
    return summary.run.contestants.get(contestant, contestant)


def scenario_title(summary: Summary, scenario: str) -> str:
    """The scenario's title, its name where the run has none; what is measured once per process stands in none."""
    if not scenario:
        return "Once per server"
    return summary.run.scenarios.get(scenario, scenario)


def verdict_word(pair: Pair, one: Comparison) -> str:
    """The finding for readers: `FastAPI slightly better`, `about equal (within 5.2 %)`."""
    a, b = pair.short
    findings: dict[Finding | None, str] = {
        "a_better": f"{a} better",
        "a_slightly_better": f"{a} slightly better",
        "b_slightly_better": f"{b} slightly better",
        "b_better": f"{b} better",
        "equivalent": "equivalent",
        "about_equal": f"about equal (within {formats.at_most(one.within or 0.0)})",
        "not_measured": "not measured",
        "invalid": "invalid",
    }
    return findings.get(one.finding, "too noisy to say")


def advantage(pair: Pair, one: Comparison) -> str:
    """A decided ratio in words that can't be misread: `1.8 x less CPU on FastAPI`; empty if undecided."""
    if one.ratio is None or one.verdict not in {"a_better", "b_better"}:
        return ""
    winner = pair.short[one.verdict == "b_better"]
    return f"{formats.factor(one.ratio)} \N{MULTIPLICATION SIGN} {words.better(one.metric)} on {winner}"


def _pair(summary: Summary, a: str, b: str, found: Iterable[Comparison]) -> Pair:
    claim = next((claim for claim in summary.run.claims if (claim.a, claim.b) == (a, b)), None)
    full = contestant_title(summary, a), contestant_title(summary, b)
    long = _distinct(full, [full, (_without_brackets(full[0]), _without_brackets(full[1]))])
    short = _distinct(long, [long, (long[0].partition(" on ")[0], long[1].partition(" on ")[0])])
    title = claim.title if claim else f"{long[0]} against {long[1]}"
    return Pair(a, b, title, bool(claim and claim.headline), long, short, tuple(found))


def _distinct(fallback: tuple[str, str], options: list[tuple[str, str]]) -> tuple[str, str]:
    """The last, that is the shortest, option whose two names differ."""
    return next((names for names in reversed(options) if names[0] != names[1]), fallback)


def _without_brackets(title: str) -> str:
    return re.sub(r" \([^)]*\)", "", title)


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    given = list(names)
    return (*(name for name in COMPARED if name in given), *(name for name in given if name not in COMPARED))
