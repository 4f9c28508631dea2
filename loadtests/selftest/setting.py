"""What every check is given: the environment, its folder, its share of the time, and the servers it may start."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from loadtests.analysis.precision import headline
from loadtests.config.contestants import Contestant
from loadtests.config.selection import CATALOG, Wishes, select
from loadtests.errors import SuiteError
from loadtests.machine.environment import Environment
from loadtests.reference import burner
from loadtests.samples.store import RunStore

FLOOR = "raw-asgi-uvicorn"


class Watch(Protocol):
    """Who looks on."""

    def step(self, text: str) -> None:
        """Something begins."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a check works. `inject`: the extra costs that are injected, in percent."""

    environment: Environment
    folder: Path
    seed: int
    inject: tuple[float, ...]
    watch: Watch

    def store(self, name: str) -> RunStore:
        """Where the samples of one study go: `NAME/samples/*.parquet`."""
        return RunStore(self.folder / name)


def repeats(seconds: float) -> Iterator[int]:
    """Numbers from 0 on: at least one, then as long as another, as long as the longest so far, fits into the time."""
    began, longest_s, number = time.monotonic(), 0.0, 0
    while number == 0 or time.monotonic() - began + longest_s <= seconds:
        started = time.monotonic()
        yield number
        longest_s, number = max(longest_s, time.monotonic() - started), number + 1


def catalog() -> Mapping[str, Contestant]:
    """All contestants by name."""
    return select(Wishes()).by_name


def headliners() -> tuple[Contestant, Contestant]:
    """The two contestants of the pair that opens a report."""
    chosen = select(Wishes())
    claim = headline(chosen.claims)
    if claim is None:
        raise SuiteError(
            f"{CATALOG / 'claims.toml'}: compares nothing; the selftest takes its servers from there"
        )
    return chosen.by_name[claim.a], chosen.by_name[claim.b]


def wrapped(one: Contestant, name: str, loops: int) -> Contestant:
    """The contestant behind a burner of so many turns a request, on the same server and options."""
    target = one.command[-1]
    return replace(
        one,
        name=name,
        command=(*one.command[:-1], f"loadtests.reference.burning_{one.gateway}:app"),
        environment={**one.environment, burner.APP: target, burner.LOOPS: str(loops)},
    )


def named_twins(one: Contestant, names: Sequence[str]) -> tuple[Contestant, ...]:
    """The same contestant under each of these names."""
    return tuple(replace(one, name=name) for name in names)
