"""What the shop adds to a request: its ping against that of a bare one-route app, same framework, same server.

Run as `make overhead`. Paired slices, fresh processes every round, CPU time per request.
"""

import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from loadtests.analysis.digest import merge
from loadtests.config.contestants import Contestant, load_contestants
from loadtests.config.selection import CATALOG
from loadtests.machine.environment import open_environment
from loadtests.runs.paired_study import closed_plan, in_words, ratio_of, rounds
from loadtests.samples.store import RunStore

ROUNDS, BLOCKS = 8, 12
PAIRS = {
    "flask-gthread": ("flask_app.main:app", "loadtests.reference.bare_flask:app"),
    "fastapi-uvicorn": ("fastapi_app.main:app", "loadtests.reference.bare_fastapi:app"),
}


def contestants() -> tuple[Contestant, ...]:
    """The two apps, each with the bare app under the same command."""
    known = load_contestants(CATALOG)
    return tuple(one for name, (shop, bare) in PAIRS.items() for one in _pair(known[name], shop, bare))


def _pair(shop: Contestant, target: str, bare_target: str) -> tuple[Contestant, Contestant]:
    command = tuple(bare_target if word == target else word for word in shop.command)
    return shop, replace(shop, name=f"bare-{shop.name}", command=command, needs_database=False)


def main() -> None:
    """Prints one line per framework."""
    servers = contestants()
    with open_environment(seed=0) as environment, TemporaryDirectory(prefix="sidebyside-") as folder:
        plan, store = closed_plan(servers, BLOCKS), RunStore(Path(folder))
        known = merge(rounds(environment, plan, servers, ROUNDS, store))
    for name in PAIRS:
        sys.stdout.write(
            f"{name}: ping costs, against a bare app, {in_words(ratio_of(known, name, f'bare-{name}'))}\n"
        )


if __name__ == "__main__":
    main()
