"""Injected slowdowns: a floor and both apps, each next to copies of itself that do a known amount of extra CPU work.

What the extra work costs is found by launches of its own: rounds in which each server stamps its requests and the CPU
time of its process take turns with the rounds that are judged, so that both see the same machine, and none the same
processes. It is more than the extra work alone, because costs don't add up: a slower server finds fewer requests
waiting each time it looks, and its caches cool down meanwhile. So both kinds have as many users as a run has.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, inf, log
from statistics import median

from loadtests.analysis.digest import Digest, merge
from loadtests.analysis.estimates import Ratio
from loadtests.config.contestants import Contestant
from loadtests.runs.paired_study import bounds, closed_plan, ratio_of, rounds
from loadtests.selftest.burning import Stamp, StampedRounds, read_stamp, truth, turns_for
from loadtests.selftest.records import Check, as_figures, at_least, counted, share
from loadtests.selftest.setting import Setting, repeats, wrapped
from loadtests.selftest.stamps import StampLog

ROUNDS, BLOCKS = 6, 6
SIZES = (0.0, 2.0, 5.0, 10.0, 25.0)
LIMIT = 0.9
FOUND_PERCENT, FOUND_WITHIN_S = 5.0, 1800.0
BASE = "base"


@dataclass(frozen=True, slots=True)
class Repeat:
    """One repeat of one app: the digest of the rounds that are judged, and the stamps of as many others."""

    app: str
    number: int
    digest: Digest
    stamped: StampedRounds


@dataclass(frozen=True, slots=True)
class Row:
    """One repeat of one app and size. The true ratio is that of all stamped rounds of the app."""

    app: str
    asked_percent: float
    burnt_percent: float
    repeat: int
    true_ratio: float
    true_low: float
    true_high: float
    ratio: float
    low: float
    high: float
    contains_truth: bool
    found: bool


def check(setting: Setting, seconds: float) -> Check:
    """All apps in turn, repeat after repeat, as long as the time lasts."""
    began, apps = time.monotonic(), (setting.floor, *setting.headliners)
    groups = {one.name: _group(setting, one) for one in apps}
    done: list[Repeat] = []
    for number in repeats(seconds - (time.monotonic() - began)):
        for one in apps:
            setting.on_step(f"injected slowdowns in {one.name}, repeat {number + 1}")
            done.append(_measure(setting, one.name, groups[one.name], number))
    found = [_found(done, one.name) for one in apps] if FOUND_PERCENT in setting.inject else []
    return judged(rows_of(done, setting.inject), found)


def _group(setting: Setting, one: Contestant) -> tuple[Contestant, ...]:
    """The base and one copy for each size."""
    turns = turns_for(setting, one, setting.inject)
    return (wrapped(one, BASE, 0), *(wrapped(one, copy_name(size), turns[size]) for size in setting.inject))


def copy_name(size: float) -> str:
    """`plus-5`: the copy that does 5 % more work."""
    return f"plus-{size:g}"


def _measure(setting: Setting, name: str, group: Sequence[Contestant], number: int) -> Repeat:
    """A round that is judged and one that is stamped in turn, ROUNDS times; which goes first alternates."""
    stamp_log, plan = StampLog(read_stamp), closed_plan(group, BLOCKS, setting.seed)
    judged_store, stamped_store = setting.store(f"injection-{name}"), setting.store(f"truth-{name}")
    parts: list[Digest] = []

    def judge() -> None:
        parts.extend(rounds(setting.environment, plan, group, 1, judged_store))

    def stamp() -> None:
        for _ in rounds(setting.environment, plan, group, 1, stamped_store, stamp_log.read):
            pass

    for index in range(ROUNDS):
        for step in (judge, stamp) if index % 2 == 0 else (stamp, judge):
            step()
    return Repeat(name, number, merge(parts), tuple(stamp_log.rounds))


def rows_of(done: Sequence[Repeat], sizes: Sequence[float]) -> list[Row]:
    """One row per repeat and size."""
    return [_row(one, _stamped(done, one.app), size) for one in done for size in sizes]


def _stamped(done: Sequence[Repeat], app: str) -> StampedRounds:
    return [round_ for one in done if one.app == app for round_ in one.stamped]


def _row(one: Repeat, stamped: StampedRounds, size: float) -> Row:
    copy = copy_name(size)
    ratio, true = ratio_of(one.digest, copy, BASE), truth(stamped, copy, BASE)
    (low, high), (true_low, true_high) = bounds(ratio), bounds(true)
    return Row(
        app=one.app,
        asked_percent=size,
        burnt_percent=100 * median(_burnt_share(round_[copy], round_[BASE]) for round_ in stamped),
        repeat=one.number + 1,
        true_ratio=true.value,
        true_low=true_low,
        true_high=true_high,
        ratio=ratio.value,
        low=low,
        high=high,
        contains_truth=agrees(ratio, true),
        found=low > 1,
    )


def agrees(ratio: Ratio, true: Ratio) -> bool:
    """Whether the interval holds the true ratio, of which launches too tell no more than an interval.

    The two are independent, so their reaches add in quadrature.
    """
    reaches = [log(high / low) / 2 for low, high in map(bounds, (ratio, true))]
    return abs(ratio.log.mean - true.log.mean) <= hypot(*reaches)


def _burnt_share(copy: Stamp, base: Stamp) -> float:
    """What the copy burnt more than the base, over what a request costs the base."""
    return (copy.burnt_each_ns - base.burnt_each_ns) / base.cost_ns


@dataclass(frozen=True, slots=True)
class Found:
    """Whether all rounds of an app together find FOUND_PERCENT, and the seconds of load on that pair.

    needed_s: how many would find it in four of five runs: a width falls with the square root of the time, and the
    true difference must be 1.43 half-widths away for that (normal quantiles 1.96 and 0.84).
    """

    app: str
    seen: bool
    seconds: float
    needed_s: float

    def in_words(self) -> str:
        """In words."""
        end = f"in {self.seconds:.0f} s of load"
        if self.seen:
            return f"{FOUND_PERCENT:g} % in {self.app}: found {end}"
        return f"{FOUND_PERCENT:g} % in {self.app}: not found {end}, {self.needed_s:.0f} s would do"


def _found(done: Sequence[Repeat], name: str) -> Found:
    digest, copy = merge(one.digest for one in done if one.app == name), copy_name(FOUND_PERCENT)
    low, high = bounds(ratio_of(digest, copy, BASE))
    distance = truth(_stamped(done, name), copy, BASE).log.mean
    pair = digest.slices.filter(digest.slices["contestant"].is_in([BASE, copy]))
    seconds = float((pair["drained_ns"] - pair["start_ns"] + pair["warmup_ns"]).sum()) / 1e9
    needed_s = seconds * (1.43 * log(high / low) / 2 / distance) ** 2 if distance > 0 else inf
    return Found(name, low > 1, seconds, needed_s)


def judged(rows: Sequence[Row], found: Sequence[Found]) -> Check:
    """What the repeats say together."""
    hits, of = counted([one.contains_truth for one in rows])
    covers = at_least(hits, of, LIMIT)
    in_time = all((one.seconds if one.seen else one.needed_s) <= FOUND_WITHIN_S for one in found)
    summary = "; ".join(
        [f"{share(hits, of)} of the intervals hold the true ratio", *(one.in_words() for one in found)]
    )
    return Check(
        name="injection",
        title="Injected slowdowns",
        limit="the interval holds the true ratio, which launches of their own have told, in at least 90 % of the"
        " repeats; half an hour is enough to find 5 %",
        ok=None if covers is None else covers and in_time,
        summary=summary,
        figures=as_figures(rows),
    )
