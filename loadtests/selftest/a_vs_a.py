"""A against A: every contestant of the headline pair against a second launch of itself. No verdict should be given."""

from collections.abc import Sequence

from loadtests.analysis.digest import Digest, merge
from loadtests.config.contestants import twin, twin_name
from loadtests.runs.paired_study import bounds, ping_plan, ratio_of, rounds
from loadtests.selftest.records import Check, Figure, at_most, counted, share
from loadtests.selftest.setting import Setting, repeats

ROUNDS, BLOCKS = 6, 12
METRICS = ("cpu_us_per_request", "throughput_rps")
LIMIT = 0.05


def check(setting: Setting, seconds: float) -> Check:
    """As many repeats as fit into the time, each of ROUNDS fresh launches."""
    servers = [launch for one in setting.headliners for launch in (one, twin(one))]
    plan, store = ping_plan(servers, BLOCKS, setting.seed), setting.store("itself")
    figures: list[Figure] = []
    for number in repeats(seconds):
        setting.on_step(f"a server against itself, repeat {number + 1}")
        known = merge(rounds(setting.environment, plan, servers, ROUNDS, store))
        figures += [
            _figure(known, number, one.name, metric) for one in setting.headliners for metric in METRICS
        ]
    return judged(figures)


def judged(figures: Sequence[Figure]) -> Check:
    """What the repeats say together."""
    hits, of = counted([bool(one["better"]) for one in figures])
    return Check(
        name="itself",
        title="A server against itself",
        limit="a verdict `better` in at most 5 % of the comparisons of a server with a second launch of itself",
        ok=at_most(hits, of, LIMIT),
        summary=f"{share(hits, of)} named a winner where there is none",
        figures=tuple(figures),
    )


def _figure(known: Digest, number: int, name: str, metric: str) -> Figure:
    ratio = ratio_of(known, name, twin_name(name), metric)
    low, high = bounds(ratio)
    return {
        "contestant": name,
        "metric": metric,
        "repeat": number + 1,
        "ratio": ratio.value,
        "low": low,
        "high": high,
        "better": not low <= 1 <= high,
    }
