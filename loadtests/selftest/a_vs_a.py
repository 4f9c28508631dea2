"""A against A: every contestant of the headline pair against a second launch of itself. No verdict should be given."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.analysis.digest import Digest, merge
from loadtests.config.contestants import twin, twin_name
from loadtests.runs.paired_study import bounds, ping_plan, ratio_of, rounds
from loadtests.selftest.records import Check, as_figures, at_most, counted, share
from loadtests.selftest.setting import Setting, repeats

ROUNDS, BLOCKS = 6, 12
METRICS = ("cpu_us_per_request", "throughput_rps")
LIMIT = 0.05


@dataclass(frozen=True, slots=True)
class Row:
    """One repeat of one contestant and metric; `better`: the interval leaves out 1."""

    contestant: str
    metric: str
    repeat: int
    ratio: float
    low: float
    high: float
    better: bool


def check(setting: Setting, seconds: float) -> Check:
    """As many repeats as fit into the time, each of ROUNDS fresh launches."""
    servers = [launch for one in setting.headliners for launch in (one, twin(one))]
    plan, store = ping_plan(servers, BLOCKS, setting.seed), setting.store("itself")
    rows: list[Row] = []
    for number in repeats(seconds):
        setting.on_step(f"a server against itself, repeat {number + 1}")
        digest = merge(rounds(setting.environment, plan, servers, ROUNDS, store))
        rows += [_row(digest, number, one.name, metric) for one in setting.headliners for metric in METRICS]
    return judged(rows)


def judged(rows: Sequence[Row]) -> Check:
    """What the repeats say together."""
    hits, of = counted([one.better for one in rows])
    return Check(
        name="itself",
        title="A server against itself",
        limit="a verdict `better` in at most 5 % of the comparisons of a server with a second launch of itself",
        ok=at_most(hits, of, LIMIT),
        summary=f"{share(hits, of)} named a winner where there is none",
        figures=as_figures(rows),
    )


def _row(digest: Digest, number: int, name: str, metric: str) -> Row:
    ratio = ratio_of(digest, name, twin_name(name), metric)
    low, high = bounds(ratio)
    return Row(name, metric, number + 1, ratio.value, low, high, better=not low <= 1 <= high)
