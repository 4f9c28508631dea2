"""What every check is given: services, folder, seed, and the servers it may start."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from loadtests.config.catalog import Catalog
from loadtests.config.contestants import Contestant
from loadtests.config.profiles import headline
from loadtests.errors import SuiteError
from loadtests.machine.environment import Environment
from loadtests.reference import burner, collector
from loadtests.samples.store import RunStore

FLOOR = "raw-asgi-uvicorn"


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a check works, on which servers. `inject`: the extra costs that are injected, in percent.

    headliners: the two contestants of the pair that opens a report; floor: a server without a framework.
    on_step: called with a text at every step.
    """

    environment: Environment
    folder: Path
    seed: int
    inject: tuple[float, ...]
    headliners: tuple[Contestant, Contestant]
    floor: Contestant
    on_step: Callable[[str], None]

    def store(self, name: str) -> RunStore:
        """Where the samples of one study go: `NAME/samples/*.parquet`."""
        return RunStore(self.folder / name)


def repeats(seconds: float) -> Iterator[int]:
    """Numbers from 0 on: at least one, then more while another as long as the longest so far fits into the time."""
    began, longest_s, number = time.monotonic(), 0.0, 0
    while number == 0 or time.monotonic() - began + longest_s <= seconds:
        started = time.monotonic()
        yield number
        longest_s, number = max(longest_s, time.monotonic() - started), number + 1


def headliners(catalog: Catalog) -> tuple[Contestant, Contestant]:
    """The two contestants of the pair that opens a report. SuiteError: the catalog compares nothing."""
    pair = headline(catalog.claims)
    if pair is None:
        raise SuiteError(
            f"{catalog.folder / 'claims.toml'}: compares nothing; the selftest takes its servers from there"
        )
    return catalog.contestants[pair.a], catalog.contestants[pair.b]


def wrapped(one: Contestant, name: str, loops: int) -> Contestant:
    """The contestant behind a burner of `loops` turns per request, on the same server and options."""
    return _behind(one, name, "burning", {burner.APP: one.command[-1], burner.LOOPS: str(loops)})


def pausing(one: Contestant, name: str, every: int, objects: int) -> Contestant:
    """The contestant with a full collection every so many requests (0: none), among so many more objects."""
    variables = {collector.EVERY: str(every), collector.OBJECTS: str(objects)}
    return _behind(one, name, "collecting", {collector.APP: one.command[-1], **variables})


def _behind(one: Contestant, name: str, kind: str, variables: Mapping[str, str]) -> Contestant:
    command = (*one.command[:-1], f"loadtests.reference.{kind}_{one.gateway}:app")
    return replace(one, name=name, command=command, environment={**one.environment, **variables})
