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
from loadtests.plan import Plan, make_plan
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


def plan(pairs: Sequence[Contestant]) -> Plan:
    """ROUNDS rounds of BLOCKS blocks on `ping`, without twins."""
    chosen = select(Wishes(scenarios=("ping",)))
    profile = replace(chosen.profile, closed_blocks=BLOCKS, twins=())
    return make_plan(profile, 0, pairs, chosen.scenarios, ())


def log_ratios(measured: Measurement, name: str) -> FloatArray:
    """Shop over bare app: log ratios of CPU time a request, shape (blocks,)."""
    answered = measured.requests.filter(pl.col("failure") == 0).group_by("slice").len("answered")
    spent = measured.slices.join(answered, on="slice").with_columns(
        cpu=pl.col("server_cpu_ns") / pl.col("answered")
    )
    table = spent.pivot("contestant", index="block", values="cpu").drop_nulls()
    ratios: FloatArray = np.log(table[name].to_numpy()) - np.log(table[f"bare-{name}"].to_numpy())
    return ratios


def rounds(scene: Stage) -> Iterator[Measurement]:
    """Measures; every round launches all four servers anew."""
    pairs = contestants()
    schedule = plan(pairs)
    for index in range(ROUNDS):
        with scene.servers(pairs) as endpoints:
            yield drive(
                schedule.round(index, None), schedule.scenarios, endpoints, cpus=scene.load_cpus, seed=0
            )


def main() -> None:
    """Prints one line a framework."""
    with stage(seed=0) as scene:
        measured = list(rounds(scene))
    for name in PAIRS:
        ratio = paired_ratio([log_ratios(one, name) for one in measured])
        low, high = ratio.interval()
        sys.stdout.write(
            f"{name}: ping costs {ratio.value:.3f} times a bare app's CPU a request"
            f" (95 % interval {low:.3f} to {high:.3f}, {ROUNDS} rounds, {ratio.blocks} blocks)\n"
        )


if __name__ == "__main__":
    main()
