"""Small studies outside a run: servers loaded in paired slices, round by round, and the ratios between them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl

from loadtests.analysis.digest import Digest, digest
from loadtests.analysis.estimates import FloatArray, Ratio
from loadtests.analysis.estimators import measured_in, ratio
from loadtests.analysis.observations import observe
from loadtests.config.catalog import Catalog
from loadtests.config.contestants import Contestant
from loadtests.config.profiles import Design
from loadtests.config.selection import CATALOG
from loadtests.load.drive import drive
from loadtests.machine.environment import Environment
from loadtests.machine.servers import Endpoint
from loadtests.plan.plan import Plan, make_plan
from loadtests.plan.sizes import Sizes
from loadtests.samples.store import RunStore

CPU, PING = "cpu_us_per_request", "ping"
NO_LIMIT_PERCENT = 100.0  # no slice is set aside


def closed_plan(
    servers: Sequence[Contestant],
    blocks: int,
    seed: int = 0,
    design: Design = "paired",
    scenarios: Sequence[str] = (PING,),
) -> Plan:
    """Closed slices of these scenarios alone, `blocks` of each per round on every server, as in the quick profile."""
    catalog = Catalog(CATALOG)
    profile = replace(catalog.profiles["quick"], twins=())
    closed = [replace(catalog.scenarios[name], open_slice_ms=None) for name in scenarios]
    return replace(make_plan(profile, seed, servers, closed, (), design), blocks=blocks)


def rounds(
    environment: Environment,
    plan: Plan,
    servers: Sequence[Contestant],
    count: int,
    store: RunStore,
    before_and_after: Callable[[Mapping[str, Endpoint]], None] = lambda _: None,
    *,
    sizes: Sizes | None = None,
) -> Iterator[Digest]:
    """Measure `count` further rounds, with fresh processes, stored; `before_and_after` is called around each.

    sizes: of the slices; None: each round sizes its own.
    """
    for _ in range(count):
        index = store.finished_rounds()
        with environment.servers(servers) as endpoints:
            before_and_after(endpoints)
            driven = drive(
                plan.round(index, sizes),
                plan.scenarios,
                endpoints,
                cpus=environment.load_cpus,
                metered=environment.metered,
                seed=plan.seed,
            )
            before_and_after(endpoints)
        store.save_round(index, driven)
        yield digest([store.round(index)], NO_LIMIT_PERCENT, 1)


def log_ratios(digest_: Digest, a: str, b: str, metric: str = CPU, scenario: str = PING) -> list[FloatArray]:
    """a over b with all pauses: log ratios of the blocks that both have, one array of shape (blocks,) per round."""
    named = (pl.col("metric") == metric) & (pl.col("scenario") == scenario)
    seen = observe(digest_).filter(named & (pl.col("value") > 0))
    keys = ["round", "block"]
    of_a, of_b = (seen.filter(pl.col("contestant") == name).select(*keys, "value") for name in (a, b))
    both = of_a.join(of_b, on=keys).sort(keys)
    logs = both.with_columns(log=(pl.col("value") / pl.col("value_right")).log())
    return [one["log"].to_numpy() for one in logs.partition_by("round", maintain_order=True)]


def ratio_of(digest_: Digest, a: str, b: str, metric: str = CPU, scenario: str = PING) -> Ratio:
    """a over b as a run would estimate it; ValueError when no block has both."""
    found = ratio(measured_in(digest_), scenario, metric, (a,), (b,))
    if found is None:
        raise ValueError(f"no block has both {a} and {b}")
    return found


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
