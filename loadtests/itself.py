"""A server against a second launch of itself: what the method reports where nothing differs.

Run as `python -m loadtests.itself [CONTESTANT]...`. Some 60 s of load for each; the interval should hold 1.
"""

import sys
from dataclasses import replace

from loadtests.overhead import rounds, told
from loadtests.plan import TWIN_SUFFIX
from loadtests.selection import Wishes, select
from loadtests.stage import stage

ROUNDS, BLOCKS = 10, 25


def main(names: tuple[str, ...]) -> None:
    """Prints one line a contestant."""
    chosen = select(Wishes(contestants=names, scenarios=("ping",))).contestants
    with stage(seed=0) as scene:
        for one in chosen:
            twin = replace(one, name=one.name + TWIN_SUFFIX)
            measured = list(rounds(scene, (one, twin), ROUNDS, BLOCKS))
            sys.stdout.write(f"{one.name}: costs, against itself, {told(measured, one.name, twin.name)}")
            sys.stdout.flush()


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or ("flask-gthread", "fastapi-uvicorn"))
