"""Judging the facts: what will hurt a benchmark here, and what to do about it. Pure."""

from collections.abc import Callable, Iterator, Sequence

from loadtests.doctor import cpu_rules, resource_rules
from loadtests.doctor.facts import Facts
from loadtests.doctor.finding import Finding
from loadtests.doctor.forecast import Forecast, share

RULES: tuple[Callable[[Facts], Finding], ...] = (
    cpu_rules.cpus,
    cpu_rules.cores,
    cpu_rules.governor,
    cpu_rules.cpu_limit,
    cpu_rules.stolen,
    cpu_rules.share,
    cpu_rules.other_work,
    cpu_rules.load_average,
    cpu_rules.timers,
    resource_rules.memory,
    resource_rules.swap,
    resource_rules.open_files,
    cpu_rules.battery,
    resource_rules.results,
    resource_rules.shared_memory,
    resource_rules.services,
)


def judge(facts: Facts) -> list[Finding]:
    """All findings: CPUs first, folders last."""
    return [rule(facts) for rule in RULES]


def unmeasured(reason: str) -> Finding:
    """A server or the load generator failed, so a run would too."""
    return Finding(
        "bad", "measuring", reason, "fix that first: a run would stop at the same place", stops=True
    )


def sum_up(findings: Sequence[Finding], forecasts: Sequence[Forecast]) -> str:
    """One line: whether a run is possible, what will hurt it, and what it would show."""
    stopping = [one.subject for one in findings if one.stops]
    if stopping:
        return f"No run is possible here: {', '.join(stopping)}."
    hurting = [one.subject for one in findings if one.severity != "good"]
    fit = (
        f"A run is possible, but these will hurt it: {', '.join(hurting)}."
        if hurting
        else "This machine is fit to measure."
    )
    return " ".join([fit, *_visible(forecasts)])


def _visible(forecasts: Sequence[Forecast]) -> Iterator[str]:
    """Of the forecasts, the middle one."""
    if forecasts:
        one = forecasts[len(forecasts) // 2]
        seen = (
            f"a difference of about {share(one.visible)} will be visible after {one.budget_s / 60:g} minutes"
        )
        yield f"Between servers of similar speed, {seen}."
