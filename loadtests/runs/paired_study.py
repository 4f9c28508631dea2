"""Small studies outside a run: servers loaded in paired slices, round by round, and the ratios between them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl

from loadtests.analysis.digest import Digest, digest
from loadtests.analysis.estimates import FloatArray, Ratio, paired_ratio
from loadtests.analysis.observations import observe
from loadtests.config.catalog import Catalog
from loadtests.config.contestants import Contestant
from loadtests.config.profiles import Design
from loadtests.config.selection import CATALOG
from loadtests.load.drive import drive
from loadtests.machine.environment import Environment
from loadtests.machine.servers import Endpoint
from loadtests.plan.plan import Plan, make_plan
from loadtests.samples.store import RunStore

CPU = "cpu_us_per_request"
NO_LIMIT_PERCENT = 100.0  # no slice is set aside


def ping_plan(
    servers: Sequence[Contestant],
    blocks: int,
    seed: int = 0,
    design: Design = "paired",
    users: int | None = None,
) -> Plan:
    """Closed slices of `ping` alone, `blocks` of them per round on each server; users None: as many as in a run."""
    catalog = Catalog(CATALOG)
    profile = replace(catalog.profiles["quick"], twins=())
    ping = replace(catalog.scenarios["ping"], open_slice_ms=None)
    ping = ping if users is None else replace(ping, concurrency=users)
    return replace(make_plan(profile, seed, servers, (ping,), (), design), blocks=blocks)


def rounds(
    environment: Environment,
    plan: Plan,
    servers: Sequence[Contestant],
    count: int,
    store: RunStore,
    before_and_after: Callable[[Mapping[str, Endpoint]], None] = lambda _: None,
) -> Iterator[Digest]:
    """Measure `count` further rounds, with fresh processes, stored; `before_and_after` is called around each."""
    for _ in range(count):
        index = store.finished_rounds()
        with environment.servers(servers) as endpoints:
            before_and_after(endpoints)
            driven = drive(
                plan.round(index, None), plan.scenarios, endpoints, cpus=environment.load_cpus, seed=plan.seed
            )
            before_and_after(endpoints)
        store.save_round(index, driven)
        yield digest([store.round(index)], NO_LIMIT_PERCENT, 1)


def log_ratios(digest_: Digest, a: str, b: str, metric: str = CPU) -> list[FloatArray]:
    """a over b: a metric's log ratios of the blocks that both have, one array of shape (blocks,) per round."""
    seen = observe(digest_).filter((pl.col("metric") == metric) & (pl.col("value") > 0))
    keys = ["scenario", "round", "block"]
    of_a, of_b = (seen.filter(pl.col("contestant") == name).select(*keys, "value") for name in (a, b))
    both = of_a.join(of_b, on=keys).sort(keys)
    logs = both.with_columns(log=(pl.col("value") / pl.col("value_right")).log())
    return [one["log"].to_numpy() for one in logs.partition_by("round", maintain_order=True)]


def ratio_of(digest_: Digest, a: str, b: str, metric: str = CPU) -> Ratio:
    """a over b with its interval; ValueError when no block has both."""
    return paired_ratio(log_ratios(digest_, a, b, metric))


def bounds(ratio: Ratio) -> tuple[float, float]:
    """The 95 % interval; ValueError for too few rounds."""
    low, high = ratio.interval()
    if low is None or high is None:
        raise ValueError(f"{len(ratio.rounds)} rounds are too few for an interval")
    return low, high


def in_words(ratio: Ratio) -> str:
    """The ratio of CPU time per request with its interval, in words."""
    low, high = ratio.interval()
    return (
        f"{ratio.value:.3f} times the CPU per request"
        f" (95 % interval {low:.3f} to {high:.3f}, {len(ratio.rounds)} rounds, {ratio.blocks} blocks)"
    )
