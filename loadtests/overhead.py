"""What the shop adds to a request: its ping against that of a bare one-route app, same framework, same server.

Run as `python -m loadtests.overhead`. Paired slices, fresh processes every round, CPU time a request.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from loadtests.contestants import Contestant
from loadtests.drive import drive
from loadtests.plan import make_plan
from loadtests.samples import Measurement
from loadtests.selection import Wishes, select
from loadtests.stage import Stage, stage
from loadtests.stats import FloatArray, paired_ratio

ROUNDS, BLOCKS = 8, 12
PAIRS = {
    "flask-gthread": ("flask_app.main:app", "loadtests.floors.bare_flask:app"),
    "fastapi-uvicorn": ("fastapi_app.main:app", "loadtests.floors.bare_fastapi:app"),
}


def contestants() -> tuple[Contestant, ...]:
    """The two apps, and beside each the bare app under the very same command."""
    known = select(Wishes(scenarios=("ping",))).by_name
    return tuple(one for name, (shop, bare) in PAIRS.items() for one in _pair(known[name], shop, bare))


def _pair(shop: Contestant, target: str, bare_target: str) -> tuple[Contestant, Contestant]:
    command = tuple(bare_target if word == target else word for word in shop.command)
    return shop, replace(shop, name=f"bare-{shop.name}", command=command, needs_database=False)


def rounds(scene: Stage, servers: Sequence[Contestant], count: int, blocks: int) -> Iterator[Measurement]:
    """Measures closed slices of `ping`, `blocks` of them a round; every round launches all servers anew."""
    chosen = select(Wishes(scenarios=("ping",)))
    profile = replace(chosen.profile, closed_blocks=blocks, twins=())
    plan = make_plan(profile, 0, servers, chosen.scenarios, ())
    for index in range(count):
        with scene.servers(servers) as endpoints:
            yield drive(plan.round(index, None), plan.scenarios, endpoints, cpus=scene.load_cpus, seed=0)


def log_ratios(measured: Measurement, a: str, b: str) -> FloatArray:
    """a over b: log ratios of CPU time a request, shape (blocks,)."""
    answered = measured.requests.filter(pl.col("failure") == 0).group_by("slice").len("answered")
    spent = measured.slices.join(answered, on="slice").with_columns(
        cpu=pl.col("server_cpu_ns") / pl.col("answered")
    )
    table = spent.pivot("contestant", index="block", values="cpu").drop_nulls()
    ratios: FloatArray = np.log(table[a].to_numpy()) - np.log(table[b].to_numpy())
    return ratios


def told(measured: Sequence[Measurement], a: str, b: str) -> str:
    """The ratio of CPU time a request with its interval, in words."""
    ratio = paired_ratio([log_ratios(one, a, b) for one in measured])
    low, high = ratio.interval()
    return (
        f"{ratio.value:.3f} times the CPU a request"
        f" (95 % interval {low:.3f} to {high:.3f}, {len(measured)} rounds, {ratio.blocks} blocks)\n"
    )


def main() -> None:
    """Prints one line a framework."""
    with stage(seed=0) as scene:
        measured = list(rounds(scene, contestants(), ROUNDS, BLOCKS))
    for name in PAIRS:
        sys.stdout.write(f"{name}: ping costs, against a bare app, {told(measured, name, f'bare-{name}')}")


if __name__ == "__main__":
    main()
