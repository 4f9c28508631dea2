"""Injected slowdowns: a floor and both apps, each beside copies of itself that do a known amount of extra CPU work.

How much the extra work really was is stamped by the server that does it, in the very rounds that are judged. One user
asks, so that every request wakes the server alike and costs add up. With many users they don't: a server that takes
longer finds fewer requests waiting each time it looks, so each of them costs more than the extra work alone.
"""

import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log

from loadtests.contestants import Contestant
from loadtests.digest import Digest, merge
from loadtests.known.burner import STAMPS
from loadtests.selftest.records import Check, Figure, at_least, counted, share
from loadtests.selftest.setting import FLOOR, Setting, catalog, headliners, repeats, wrapped
from loadtests.servers import Endpoint
from loadtests.study import bounds, ping_plan, ratio_of, rounds

ROUNDS, BLOCKS, USERS = 6, 8, 1
SIZES = (0.0, 2.0, 5.0, 10.0, 25.0)
LIMIT = 0.9
FOUND_PERCENT, FOUND_WITHIN_S = 5.0, 1800.0
TRIAL_LOOPS = 2000


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a server knows of itself so far: requests, nanoseconds burnt for them, CPU time of its process."""

    requests: int
    burnt_ns: int
    cpu_ns: int

    def since(self, before: "Stamp") -> "Stamp":
        """The difference."""
        return Stamp(
            self.requests - before.requests, self.burnt_ns - before.burnt_ns, self.cpu_ns - before.cpu_ns
        )

    @property
    def own_ns(self) -> float:
        """CPU time a request without what was burnt."""
        return (self.cpu_ns - self.burnt_ns) / self.requests

    def ratio_to(self, base: "Stamp") -> float:
        """How many times the CPU time this process would have used with the base's burning, it has used."""
        own = self.own_ns
        return (own + self.burnt_ns / self.requests) / (own + base.burnt_ns / base.requests)


class Ledger:
    """Collects the stamps of every round: asked before and after each."""

    def __init__(self) -> None:
        self._open: dict[str, Stamp] = {}
        self.rounds: list[dict[str, Stamp]] = []

    def ask(self, endpoints: Mapping[str, Endpoint]) -> None:
        """Read all servers' stamps; the second reading of a round closes it."""
        now = {name: read_stamp(endpoint) for name, endpoint in endpoints.items()}
        if self._open:
            self.rounds.append({name: now[name].since(before) for name, before in self._open.items()})
            self._open = {}
        else:
            self._open = now

    def truth(self, name: str, base: str) -> float:
        """The true ratio over all rounds so far: the geometric mean of theirs."""
        logs = [log(one[name].ratio_to(one[base])) for one in self.rounds]
        return exp(sum(logs) / len(logs))


def read_stamp(endpoint: Endpoint) -> Stamp:
    """A wrapped server's stamp."""
    connection = http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=5)
    try:
        connection.request("GET", STAMPS)
        return Stamp(**json.loads(connection.getresponse().read()))
    finally:
        connection.close()


def check(setting: Setting, seconds: float) -> Check:
    """All apps in turn, repeat after repeat, as long as the time lasts."""
    apps = (catalog()[FLOOR], *headliners())
    groups = {one.name: _group(setting, one) for one in apps}
    figures: list[Figure] = []
    pooled: dict[str, list[Digest]] = {one.name: [] for one in apps}
    for number in repeats(seconds):
        for one in apps:
            setting.watch.step(f"injected slowdowns in {one.name}, repeat {number + 1}")
            ledger, known = _measure(setting, one.name, groups[one.name])
            pooled[one.name].append(known)
            figures += [_figure(ledger, known, number, one.name, size) for size in setting.inject]
    found = [_found(merge(parts), name) for name, parts in pooled.items()] if 5.0 in setting.inject else []
    return judged(figures, found)


def _group(setting: Setting, one: Contestant) -> tuple[Contestant, ...]:
    """The base and one copy for each size."""
    turns = turns_for(setting, one, setting.inject)
    return (wrapped(one, "base", 0), *(wrapped(one, copy_name(size), turns[size]) for size in setting.inject))


def turns_for(setting: Setting, one: Contestant, percents: Sequence[float]) -> dict[float, int]:
    """percent -> how many turns of the burner cost that much of what a request costs by itself; measured first."""
    setting.watch.step(f"how much {one.name} costs by itself")
    trial, ledger = (wrapped(one, "trial", TRIAL_LOOPS),), Ledger()
    plan, store = ping_plan(trial, BLOCKS, setting.seed, users=USERS), setting.store(f"trial-{one.name}")
    for _ in rounds(setting.scene, plan, trial, 1, store, ledger.ask):
        pass
    stamp = ledger.rounds[0]["trial"]
    a_turn_ns = stamp.burnt_ns / stamp.requests / TRIAL_LOOPS
    return {percent: round(percent / 100 * stamp.own_ns / a_turn_ns) for percent in percents}


def copy_name(size: float) -> str:
    """`plus-5`: the copy that costs 5 % more."""
    return f"plus-{size:g}"


def _measure(setting: Setting, name: str, group: Sequence[Contestant]) -> tuple[Ledger, Digest]:
    ledger, plan = Ledger(), ping_plan(group, BLOCKS, setting.seed, users=USERS)
    store = setting.store(f"injection-{name}")
    return ledger, merge(rounds(setting.scene, plan, group, ROUNDS, store, ledger.ask))


def _figure(ledger: Ledger, known: Digest, number: int, name: str, size: float) -> Figure:
    ratio, truth = ratio_of(known, copy_name(size), "base"), ledger.truth(copy_name(size), "base")
    low, high = bounds(ratio)
    return {
        "app": name,
        "asked_percent": size,
        "repeat": number + 1,
        "true_ratio": truth,
        "ratio": ratio.value,
        "low": low,
        "high": high,
        "contains_truth": low <= truth <= high,
        "found": low > 1,
    }


def _found(known: Digest, name: str) -> tuple[str, bool, float]:
    """Whether all rounds of an app together find FOUND_PERCENT, and in how many seconds of load on that pair."""
    low, _ = bounds(ratio_of(known, copy_name(FOUND_PERCENT), "base"))
    pair = known.slices.filter(known.slices["contestant"].is_in(["base", copy_name(FOUND_PERCENT)]))
    spans_ns = (pair["drained_ns"] - pair["start_ns"] + pair["warmup_ns"]).sum()
    return name, low > 1, float(spans_ns) / 1e9


def judged(figures: Sequence[Figure], found: Sequence[tuple[str, bool, float]]) -> Check:
    """What the repeats say together."""
    hits, of = counted([bool(one["contains_truth"]) for one in figures])
    covers = at_least(hits, of, LIMIT)
    told = "; ".join(
        f"{FOUND_PERCENT:g} % in {name}: {'found' if seen else 'not found'} in {seconds:.0f} s of load"
        for name, seen, seconds in found
    )
    in_time = all(seen and seconds <= FOUND_WITHIN_S for _, seen, seconds in found)
    return Check(
        name="injection",
        title="Injected slowdowns",
        limit="the interval holds the true ratio in at least 90 % of the repeats; 5 % is found within half an hour",
        ok=None if covers is None else covers and in_time,
        summary=f"{share(hits, of)} of the intervals hold the true ratio{'; ' + told if told else ''}",
        figures=tuple(figures),
    )
