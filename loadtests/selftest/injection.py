"""Injected slowdowns: a floor and both apps, each next to copies of itself that do a known amount of extra CPU work.

The true ratio is what the servers themselves count, over all rounds of all repeats: each stamps its process's CPU time
and its requests. It is a little more than the extra work alone, because costs don't quite add up: caches cool down
while a server works longer. With many users they add up even less, since a slower server finds fewer requests
waiting each time it looks; so one user sends.
"""

import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, log
from statistics import median

from loadtests.analysis.digest import Digest, merge
from loadtests.config.contestants import Contestant
from loadtests.machine.servers import Endpoint
from loadtests.reference.burner import STAMPS
from loadtests.runs.paired_study import bounds, ping_plan, ratio_of, rounds
from loadtests.selftest.records import Check, as_figures, at_least, counted, share
from loadtests.selftest.setting import Setting, repeats, wrapped

ROUNDS, BLOCKS, USERS = 6, 8, 1
SIZES = (0.0, 2.0, 5.0, 10.0, 25.0)
LIMIT = 0.9
FOUND_PERCENT, FOUND_WITHIN_S = 5.0, 1800.0
TRIAL_ROUNDS, TRIAL_LOOPS = 3, 2000
BASE, TRIAL = "base", "trial"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a server has counted so far: requests, nanoseconds burnt for them, CPU time of its process."""

    requests: int
    burnt_ns: int
    cpu_ns: int

    def since(self, before: "Stamp") -> "Stamp":
        """The difference."""
        return Stamp(
            self.requests - before.requests, self.burnt_ns - before.burnt_ns, self.cpu_ns - before.cpu_ns
        )

    @property
    def cost_ns(self) -> float:
        """CPU time per request."""
        return self.cpu_ns / self.requests

    @property
    def burnt_each_ns(self) -> float:
        """How much of that was burnt."""
        return self.burnt_ns / self.requests


class StampLog:
    """Collects the stamps of every round, read before and after it."""

    def __init__(self) -> None:
        self._open: dict[str, Stamp] = {}
        self.rounds: list[dict[str, Stamp]] = []

    def read(self, endpoints: Mapping[str, Endpoint]) -> None:
        """Read all servers' stamps; the second reading of a round closes it."""
        now = {name: read_stamp(endpoint) for name, endpoint in endpoints.items()}
        if self._open:
            self.rounds.append({name: now[name].since(before) for name, before in self._open.items()})
            self._open = {}
        else:
            self._open = now


def truth(rounds: Sequence[Mapping[str, Stamp]], name: str, base: str) -> float:
    """The ratio by the servers' own counts: the geometric mean over rounds of their CPU times per request."""
    logs = [log(one[name].cost_ns / one[base].cost_ns) for one in rounds]
    return exp(sum(logs) / len(logs))


def read_stamp(endpoint: Endpoint) -> Stamp:
    """A wrapped server's stamp."""
    connection = http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=5)
    try:
        connection.request("GET", STAMPS)
        return Stamp(**json.loads(connection.getresponse().read()))
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class Repeat:
    """What one repeat measured of one app: the digest, and every server's stamps round by round."""

    app: str
    number: int
    digest: Digest
    stamps: tuple[Mapping[str, Stamp], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One repeat of one app and size."""

    app: str
    asked_percent: float
    burnt_percent: float
    repeat: int
    true_ratio: float
    ratio: float
    low: float
    high: float
    contains_truth: bool
    found: bool


def check(setting: Setting, seconds: float) -> Check:
    """All apps in turn, repeat after repeat, as long as the time lasts."""
    apps = (setting.floor, *setting.headliners)
    groups = {one.name: _group(setting, one) for one in apps}
    done: list[Repeat] = []
    for number in repeats(seconds):
        for one in apps:
            setting.on_step(f"injected slowdowns in {one.name}, repeat {number + 1}")
            done.append(_measure(setting, one.name, groups[one.name], number))
    found = [_found(done, one.name) for one in apps] if FOUND_PERCENT in setting.inject else []
    return judged(rows_of(done, setting.inject), found)


def _group(setting: Setting, one: Contestant) -> tuple[Contestant, ...]:
    """The base and one copy for each size."""
    turns = turns_for(setting, one, setting.inject, USERS)
    return (wrapped(one, BASE, 0), *(wrapped(one, copy_name(size), turns[size]) for size in setting.inject))


def turns_for(
    setting: Setting, one: Contestant, percents: Sequence[float], users: int | None
) -> dict[float, int]:
    """percent -> how many turns of the burner cost that share of a plain request; measured first."""
    setting.on_step(f"how much {one.name} costs by itself")
    trial, stamp_log = (wrapped(one, TRIAL, TRIAL_LOOPS),), StampLog()
    plan, store = ping_plan(trial, BLOCKS, setting.seed, users=users), setting.store(f"trial-{one.name}")
    for _ in rounds(setting.environment, plan, trial, TRIAL_ROUNDS, store, stamp_log.read):
        pass
    stamps = [round_[TRIAL] for round_ in stamp_log.rounds]
    own_ns = min(
        stamp.cost_ns - stamp.burnt_each_ns for stamp in stamps
    )  # noise only adds to what a request costs
    a_turn_ns = min(stamp.burnt_each_ns for stamp in stamps) / TRIAL_LOOPS
    return {percent: round(percent / 100 * own_ns / a_turn_ns) for percent in percents}


def copy_name(size: float) -> str:
    """`plus-5`: the copy that costs 5 % more."""
    return f"plus-{size:g}"


def _measure(setting: Setting, name: str, group: Sequence[Contestant], number: int) -> Repeat:
    stamp_log, plan = StampLog(), ping_plan(group, BLOCKS, setting.seed, users=USERS)
    store = setting.store(f"injection-{name}")
    digest = merge(rounds(setting.environment, plan, group, ROUNDS, store, stamp_log.read))
    return Repeat(name, number, digest, tuple(stamp_log.rounds))


def rows_of(done: Sequence[Repeat], sizes: Sequence[float]) -> list[Row]:
    """One row per repeat and size."""
    return [
        _row(one, [other for other in done if other.app == one.app], size) for one in done for size in sizes
    ]


def _row(one: Repeat, all_of_app: Sequence[Repeat], size: float) -> Row:
    ratio, copy = ratio_of(one.digest, copy_name(size), BASE), copy_name(size)
    stamps = [round_ for each in all_of_app for round_ in each.stamps]
    true_ratio, (low, high) = truth(stamps, copy, BASE), bounds(ratio)
    return Row(
        app=one.app,
        asked_percent=size,
        burnt_percent=100 * median(_burnt_share(round_[copy], round_[BASE]) for round_ in stamps),
        repeat=one.number + 1,
        true_ratio=true_ratio,
        ratio=ratio.value,
        low=low,
        high=high,
        contains_truth=low <= true_ratio <= high,
        found=low > 1,
    )


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


def _burnt_share(copy: Stamp, base: Stamp) -> float:
    """What the copy burnt more than the base, over what a request costs the base."""
    return (copy.burnt_each_ns - base.burnt_each_ns) / base.cost_ns


def _found(done: Sequence[Repeat], name: str) -> Found:
    own = [one for one in done if one.app == name]
    digest, copy = merge(one.digest for one in own), copy_name(FOUND_PERCENT)
    low, high = bounds(ratio_of(digest, copy, BASE))
    distance = log(truth([round_ for one in own for round_ in one.stamps], copy, BASE))
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
        limit="the interval holds the true ratio in at least 90 % of the repeats; half an hour is enough to find 5 %",
        ok=None if covers is None else covers and in_time,
        summary=summary,
        figures=as_figures(rows),
    )
