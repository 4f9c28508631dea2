"""What pauses (full garbage collections) cost the pair that opens a report, and what mends them."""

from collections.abc import Mapping
from dataclasses import dataclass

from loadtests.analysis.summary import Summary
from loadtests.report import formats
from loadtests.report.pairs import Pair, scenario_title

SHARE_THAT_MATTERS = 0.02  # of the CPU time of a request
PAUSE_THAT_MATTERS_MS = 10.0
FELT = 0.25  # a percentile contains pauses where it is at least this part of the longest
TAILS: Mapping[str, str] = {
    "response_p99_ms": "p99 and beyond contain them",
    "response_p999_ms": "p99.9 and beyond contain them",
    "response_max_ms": "the longest response times contain them",
}
FROZEN: Mapping[str, str] = {
    name: f"{name}-frozen" for name in ("flask-gthread", "flask-gevent", "fastapi-uvicorn")
}
"""Contestants of the catalog -> the same ones with gc.freeze() after start-up."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """The pauses of one contestant in one scenario: their `share` of its CPU time per request, the longest, and
    `every` how many requests there is one (None: there was none)."""

    scenario: str
    share: float
    longest_ms: float
    every: float | None
    p99_ms: float | None
    felt: str

    @property
    def matter(self) -> bool:
        """Whether a reader must know of them."""
        long = self.longest_ms >= PAUSE_THAT_MATTERS_MS and self.felt != ""
        return self.every is not None and (long or self.share >= SHARE_THAT_MATTERS)


def pause_sentence(summary: Summary, pair: Pair) -> str:
    """Of each of the pair that they matter to: how much, how long, how often, and what mends them; may be empty."""
    told = {
        name: (title, worst)
        for name, title in zip((pair.a, pair.b), pair.long, strict=True)
        if (worst := _worst(summary, name))
    }
    if not told:
        return ""
    parts = [_sentence(summary, name, title, worst) for name, (title, worst) in told.items()]
    command = _command(summary, {name: worst for name, (_, worst) in told.items()})
    return " ".join(["Pauses for full garbage collections are part of these figures.", *parts, *command])


def pauses_of(summary: Summary, scenario: str, contestant: str) -> Pauses | None:
    """The pauses of a contestant in a scenario; None where it was not measured, or the server can't tell."""
    values = {
        one.metric: one.value
        for one in summary.cells
        if (one.scenario, one.contestant) == (scenario, contestant) and one.valid
    }
    cost, pause = values.get("cpu_us_per_request"), values.get("pause_us_per_request")
    longest_ms = values.get("longest_pause_ms")
    if not cost or pause is None or longest_ms is None:
        return None
    felt = (text for metric, text in TAILS.items() if (values.get(metric) or 0.0) >= FELT * longest_ms)
    return Pauses(
        scenario,
        pause / cost,
        longest_ms,
        values.get("requests_between_pauses"),
        values.get("response_p99_ms"),
        next(felt, ""),
    )


def _worst(summary: Summary, contestant: str) -> Pauses | None:
    """Where they matter most; None where they matter in no scenario that counts."""
    scenarios = [one for one in summary.run.scenarios if one not in summary.run.waiting]
    known = [one for name in scenarios if (one := pauses_of(summary, name, contestant)) and one.matter]
    return max(known, key=lambda one: one.share, default=None)


def _sentence(summary: Summary, contestant: str, title: str, found: Pauses) -> str:
    where = scenario_title(summary, found.scenario)
    text = (
        f"{title} spends {_share(found)} of its CPU time on them in {where}, one every"
        f" {formats.number(found.every)} requests, {formats.number(found.longest_ms)} ms at the longest"
    )
    if found.felt:
        text += f"; {found.felt}"
    mended = pauses_of(summary, found.scenario, FROZEN.get(contestant, ""))
    return f"{text}. {_mended(FROZEN[contestant], found, mended)}" if mended else f"{text}."


def _mended(frozen: str, before: Pauses, after: Pauses) -> str:
    """What this run measured of the frozen contestant."""
    text = f"With gc.freeze() after start-up ({frozen}) it is {_share(after)}"
    if after.every is not None:
        text += f", {formats.number(after.longest_ms)} ms at the longest"
    if before.p99_ms and after.p99_ms:
        text += (
            f", and p99 is {formats.number(after.p99_ms)} ms instead of {formats.number(before.p99_ms)} ms"
        )
    return f"{text}."


def _command(summary: Summary, told: Mapping[str, Pauses]) -> list[str]:
    """How to measure what mends them, where this run did not."""
    missing = {name: one for name, one in told.items() if FROZEN.get(name, "") not in summary.run.contestants}
    known = [name for name in missing if name in FROZEN]
    if not missing:
        return []
    if not known:
        return ["What usually mends them is gc.freeze() after start-up."]
    scenarios = dict.fromkeys(missing[name].scenario for name in known)
    options = [
        *(f"--scenario {one}" for one in scenarios),
        *(f"--contestant {one}" for name in known for one in (name, FROZEN[name])),
    ]
    return [f"To see what gc.freeze() after start-up mends: sidebyside bench {' '.join(options)}."]


def _share(found: Pauses) -> str:
    return formats.share(round(found.share, 3))
