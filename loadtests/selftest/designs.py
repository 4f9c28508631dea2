"""Wrong winners: a server and a copy of it that costs more, judged by the paired and by the sequential design.

Both get the same seconds of load on the same launches; they take turns in going first. The sequential design loads one
server after the other, and the one with more requests per second wins, as in most benchmarks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from scipy.stats import ttest_ind

from loadtests.analysis.digest import Digest, digest, merge
from loadtests.analysis.estimates import FloatArray
from loadtests.analysis.observations import observe
from loadtests.config.contestants import Contestant
from loadtests.config.profiles import Design
from loadtests.load.drive import drive
from loadtests.runs.paired_study import NO_LIMIT_PERCENT, bounds, closed_plan, ratio_of
from loadtests.selftest.burning import turns_for
from loadtests.selftest.records import Check, as_figures, share
from loadtests.selftest.setting import Setting, repeats, wrapped

ROUNDS, BLOCKS = 4, 12
COST_PERCENT = 5.0
FAST, SLOW = "fast", "slow"
THROUGHPUT, CPU = "throughput_rps", "cpu_us_per_request"
ORDERS: tuple[tuple[Design, Design], ...] = (("paired", "sequential"), ("sequential", "paired"))


@dataclass(frozen=True, slots=True)
class Row:
    """What one design said in one repeat; `sure`: it called its winner significant."""

    design: str
    repeat: int
    ratio: float
    winner: str
    wrong: bool
    sure: bool


def check(setting: Setting, seconds: float) -> Check:
    """As many repeats as fit into the time, each of ROUNDS launches that serve both designs."""
    floor = setting.floor
    turns = turns_for(setting, floor, (COST_PERCENT,))
    servers = (wrapped(floor, FAST, 0), wrapped(floor, SLOW, turns[COST_PERCENT]))
    rows: list[Row] = []
    for number in repeats(seconds):
        setting.on_step(f"wrong winners, repeat {number + 1}")
        digest_ = _measure(setting, servers)
        rows += [
            _row("paired", number, *paired(digest_["paired"], CPU)),
            _row("paired, throughput", number, *paired(digest_["paired"], THROUGHPUT)),
            _row("sequential", number, *sequential(digest_["sequential"])),
        ]
    return judged(rows)


def _measure(setting: Setting, servers: Sequence[Contestant]) -> dict[Design, Digest]:
    parts: dict[Design, list[Digest]] = {"paired": [], "sequential": []}
    stores = {design: setting.store(f"designs-{design}") for design in parts}
    for _ in range(ROUNDS):
        index = stores["paired"].finished_rounds()
        with setting.environment.servers(servers) as endpoints:
            for design in ORDERS[index % 2]:
                plan = closed_plan(servers, BLOCKS, setting.seed, design)
                round_ = plan.round(index, None)
                driven = drive(
                    round_, plan.scenarios, endpoints, cpus=setting.environment.load_cpus, seed=setting.seed
                )
                stores[design].save_round(index, driven)
        for design, held in parts.items():
            held.append(digest([stores[design].round(index)], NO_LIMIT_PERCENT, 1))
    return {design: merge(held) for design, held in parts.items()}


def paired(digest_: Digest, metric: str) -> tuple[float, str, bool]:
    """FAST over SLOW, the winner that this names, and whether its interval leaves out 1; without that, none."""
    ratio = ratio_of(digest_, FAST, SLOW, metric)
    low, high = bounds(ratio)
    sure = not low <= 1 <= high
    ahead = (ratio.value < 1) == (metric == CPU)
    return ratio.value, (FAST if ahead else SLOW) if sure else "none", sure


def sequential(digest_: Digest) -> tuple[float, str, bool]:
    """Ratio of mean throughputs, the winner, and whether Welch's test calls that significant at 5 %."""
    fast, slow = (_throughputs(digest_, name) for name in (FAST, SLOW))
    ratio = float(fast.mean() / slow.mean())
    sure = float(ttest_ind(fast, slow, equal_var=False).pvalue) < 0.05
    return ratio, FAST if ratio > 1 else SLOW, sure


def _throughputs(digest_: Digest, name: str) -> FloatArray:
    seen = observe(digest_).filter((pl.col("metric") == THROUGHPUT) & (pl.col("contestant") == name))
    values: FloatArray = seen["value"].drop_nulls().to_numpy()
    return values


def _row(design: str, number: int, ratio: float, winner: str, sure: bool) -> Row:
    return Row(design, number + 1, ratio, winner, wrong=winner == SLOW, sure=sure)


def judged(rows: Sequence[Row]) -> Check:
    """The paired design must not name the wrong winner; what the sequential one does is shown."""
    by_design: dict[str, list[Row]] = {}
    for one in rows:
        by_design.setdefault(one.design, []).append(one)
    parts = [
        f"{design}: wrong {share(sum(one.wrong for one in found), len(found))}, of these"
        f" {sum(one.wrong and one.sure for one in found)} called sure,"
        f" right {sum(one.winner == FAST for one in found)}"
        for design, found in by_design.items()
    ]
    wrong = sum(one.wrong for one in rows if one.design.startswith("paired"))
    return Check(
        name="designs",
        title="Wrong winners",
        limit=f"of a server and a copy that costs {COST_PERCENT:g} % more, the paired design never names the copy",
        ok=wrong == 0 if rows else None,
        summary="; ".join(parts),
        figures=as_figures(rows),
    )
