"""A against A: every contestant of the headline pair against a second launch of itself, as in the quick profile.

Both launches answer the same scenarios in the same order, in slices of fixed work. They are judged as a run judges its
primary family: the same gates, estimators, and rules for a verdict. None should be given.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import mean

from loadtests.analysis.digest import Digest, digest
from loadtests.analysis.estimates import Estimate, estimate
from loadtests.analysis.summary import Comparison, RunInfo
from loadtests.analysis.verdict import summarise
from loadtests.config.contestants import Contestant, twin, twin_name
from loadtests.config.profiles import Claim, Profile
from loadtests.plan.budget import FEW_ROUNDS
from loadtests.plan.plan import Plan
from loadtests.runs.paired_study import CPU, closed_plan, rounds
from loadtests.selftest.records import Check, as_figures, at_most, counted, share
from loadtests.selftest.setting import Setting, repeats

ROUNDS, BLOCKS = FEW_ROUNDS, 2
SCENARIOS = ("ping", "item-read", "shop")
LIMIT = 0.05
BIAS_LIMIT_PERCENT = 0.5
WINS = ("a_better", "a_slightly_better", "b_slightly_better", "b_better")
UNJUDGED = ("invalid", "not_measured")


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison of one repeat and contestant; `better`: a winner was named."""

    contestant: str
    scenario: str
    metric: str
    repeat: int
    ratio: float | None
    low: float | None
    high: float | None
    finding: str
    better: bool
    note: str = ""


def check(setting: Setting, seconds: float) -> Check:
    """As many repeats as fit into the time, each of ROUNDS fresh launches of both contestants and of their twins."""
    servers = [launch for one in setting.headliners for launch in (one, twin(one))]
    plan, store = closed_plan(servers, BLOCKS, setting.seed, scenarios=SCENARIOS), setting.store("itself")
    rows: list[Row] = []
    for number in repeats(seconds):
        setting.on_step(f"a server against itself, repeat {number + 1}")
        first = store.finished_rounds()
        for _ in rounds(setting.environment, plan, servers, ROUNDS, store):
            pass
        samples = (store.round(index) for index in range(first, first + ROUNDS))
        digest_ = digest(samples, plan.profile.steal_limit_percent, cpus())
        rows += [row for one in setting.headliners for row in rows_of(digest_, plan, one, number + 1)]
    return judged(rows)


def cpus() -> int:
    """The CPUs of this machine, of which stolen time is a share."""
    return len(os.sched_getaffinity(0))


def rows_of(digest_: Digest, plan: Plan, one: Contestant, repeat: int) -> list[Row]:
    """The primary family of a run that compares the contestant with its second launch."""
    summary = summarise(digest_, _run(plan, one))
    return [_row(found, repeat) for found in summary.comparisons if found.family == "primary"]


def _run(plan: Plan, one: Contestant) -> RunInfo:
    profile: Profile = plan.profile
    return RunInfo(
        id="itself",
        status="complete",
        profile=profile.name,
        seed=plan.seed,
        started_at="",
        finished_at=None,
        duration_s=profile.budget_s,
        margin=profile.margin,
        steal_limit_percent=profile.steal_limit_percent,
        cpus=cpus(),
        contestants={each.name: each.title for each in plan.contestants},
        scenarios={each.name: each.title for each in plan.scenarios},
        keep_alive={each.name: each.keep_alive for each in plan.contestants},
        claims=(Claim(one.name, twin_name(one.name), one.title, headline=True),),
    )


def _row(one: Comparison, repeat: int) -> Row:
    finding = one.finding or "not_measured"
    return Row(
        one.a,
        one.scenario,
        one.metric,
        repeat,
        one.ratio,
        one.low,
        one.high,
        finding,
        finding in WINS,
        one.note,
    )


@dataclass(frozen=True, slots=True)
class Bias:
    """How far the CPU time of a contestant's launches differs over all repeats, as a logarithm."""

    contestant: str
    found: Estimate

    @property
    def ok(self) -> bool | None:
        """Whether it fits a true bias within the limit; None: too few repeats for an interval."""
        low, high = self.found.interval()
        limit = log(1 + BIAS_LIMIT_PERCENT / 100)
        return None if low is None or high is None else low <= limit and high >= -limit

    def in_words(self) -> str:
        """In words."""
        value, low, high = (
            None if one is None else 100 * (exp(one) - 1) for one in (self.found.mean, *self.found.interval())
        )
        reach = "" if low is None or high is None else f" (95 % interval {low:+.2f} to {high:+.2f} %)"
        return f"CPU of {self.contestant} against itself {value:+.2f} %{reach}"


def biases(rows: Sequence[Row]) -> list[Bias]:
    """One per contestant: over the repeats, of the mean over scenarios of the log ratio of CPU time."""
    logs: dict[str, dict[int, list[float]]] = {}
    for one in rows:
        if one.metric == CPU and one.ratio and one.finding not in UNJUDGED:
            logs.setdefault(one.contestant, {}).setdefault(one.repeat, []).append(log(one.ratio))
    return [
        Bias(name, estimate([mean(own) for own in by_repeat.values()])) for name, by_repeat in logs.items()
    ]


def judged(rows: Sequence[Row]) -> Check:
    """What the repeats say together; a repeat of a contestant names a winner when any of its comparisons does."""
    families: dict[tuple[str, int], bool] = {}
    for one in rows:
        if one.finding not in UNJUDGED:
            key = one.contestant, one.repeat
            families[key] = families.get(key, False) or one.better
    hits, of = counted(list(families.values()))
    found = biases(rows)
    verdicts = [ok for ok in (at_most(hits, of, LIMIT), *(one.ok for one in found)) if ok is not None]
    left_out, _ = counted([one.finding in UNJUDGED for one in rows])
    parts = [f"{share(hits, of)} named a winner where there is none", *(one.in_words() for one in found)]
    return Check(
        name="itself",
        title="A server against itself",
        limit="a winner in at most 5 % of the repeats of the quick profile's comparisons of a server with a second"
        f" launch of itself; CPU time per request off by no more than {BIAS_LIMIT_PERCENT:g} %",
        ok=all(verdicts) if verdicts else None,
        summary="; ".join([*parts, f"{left_out} of {len(rows)} comparisons invalid"] if left_out else parts),
        figures=as_figures(rows),
    )
