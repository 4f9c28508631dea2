"""What it costs a server that its garbage collections are observed: the share of its CPU time, reading items.

Run as `make observer`. The observer is timed in the running servers, where it finds caches cold and costs several times
what it costs in a loop of its own. Pairs of servers with and without it would not show so little.
"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from loadtests.analysis.digest import merge
from loadtests.config.catalog import Catalog
from loadtests.config.contestants import Contestant
from loadtests.config.selection import CATALOG
from loadtests.machine.environment import open_environment
from loadtests.machine.servers import Endpoint
from loadtests.runs.paired_study import closed_plan, rounds
from loadtests.samples.store import RunStore
from loadtests.studies import timed_observer
from shared.ops.count_file import VALUES, slots

ROUNDS, BLOCKS = 4, 20
NAMES, SCENARIO = ("flask-gthread", "fastapi-uvicorn"), "item-read"
COUNTS = [f"gen{generation}_count" for generation in (0, 1, 2)]


def timed(one: Contestant) -> Contestant:
    """The contestant with its observer timed; its command must be `python -m module ...`."""
    python, _, *rest = one.command
    return replace(one, command=(python, "-m", timed_observer.__name__, *rest))


class Timings:
    """The observers' calls and CPU time, read before and after each round."""

    def __init__(self) -> None:
        self._readings: list[dict[str, tuple[int, int]]] = []

    def read(self, endpoints: Mapping[str, Endpoint]) -> None:
        """Read those of all servers."""
        self._readings.append({name: _totals(one.count_file) for name, one in endpoints.items()})

    def ns_per_collection(self, name: str) -> float:
        """CPU time of the two calls that a collection makes, over all rounds."""
        before, after = self._readings[::2], self._readings[1::2]
        calls, spent_ns = (
            sum(one[name][place] for one in after) - sum(one[name][place] for one in before)
            for place in (0, 1)
        )
        return 2 * spent_ns / calls


def _totals(file: str) -> tuple[int, int]:
    rows = [row for row in slots(Path(file).read_bytes()) if row[0] == timed_observer.TIMING]
    return sum(row[VALUES] for row in rows), sum(row[VALUES + 1] for row in rows)


def main() -> None:
    """Prints one line per framework."""
    catalog, timings = Catalog(CATALOG), Timings()
    servers = [timed(catalog.contestants[name]) for name in NAMES]
    with open_environment(seed=0) as environment, TemporaryDirectory(prefix="sidebyside-") as folder:
        plan = closed_plan(servers, BLOCKS, scenarios=(SCENARIO,))
        known = merge(rounds(environment, plan, servers, ROUNDS, RunStore(Path(folder)), timings.read))
    for name in NAMES:
        of_server = known.slices.filter(pl.col("contestant") == name)
        answered, cpu_ns, *counts = of_server.select("answered", "server_cpu_ns", *COUNTS).sum().row(0)
        each_ns = timings.ns_per_collection(name)
        sys.stdout.write(
            f"{name}: {answered / sum(counts):.0f} item reads per collection, {each_ns / 1000:.1f} us for observing it:"
            f" {sum(counts) * each_ns / cpu_ns:.2%} of the server's CPU time\n"
        )


if __name__ == "__main__":
    main()
