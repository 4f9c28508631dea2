"""Instructions per request in both apps, counted by callgrind, each app driven in its own process without a socket.

Run as `make instructions` (needs valgrind); ARGS="--app flask --base ../older" counts one app, and another checkout's
beside it, with this checkout's libraries and the same requests. Counts are of user space: all threads of the app's
process, no kernel, no database, no server. Start-up is left out: it runs uncounted, and what it left in memory is kept
out of garbage collections, whose full ones would otherwise fall into one count and not into the other.

Where objects lie in memory and how strings hash move a launch's count by 1 or 2 %, whatever was changed: every app is
launched several times, each with a hash seed of its own, and the mean is shown.
"""

import json
import os
import re
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from statistics import fmean
from tempfile import TemporaryDirectory

from loadtests.config.selection import Options, select
from loadtests.errors import ServerError, SuiteError
from loadtests.load.requests import prepare
from loadtests.machine.databases import database_copy, seeded_template
from loadtests.machine.services import services

APPS = {"flask": "flask_app.main:app", "fastapi": "fastapi_app.main:app"}
SCENARIOS = ("ping", "item-read", "item-list", "order-create", "echo")
WARM_UP, LENGTH, LAUNCHES = 60, 40, 3
HERE = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("in_process.py")
_TOTALS = re.compile(r"^(?:totals|summary): (\d+)", re.MULTILINE)
# Counting starts with `vgdb`, after the warm-up; each call of getpgrp (in_process.mark) ends a batch.
_VALGRIND = ("valgrind", "--tool=callgrind", "--instr-atstart=no", "--dump-before=getpgrp")

Wire = tuple[str, int]  # a request as Latin-1, and the status it must be answered with


@dataclass(frozen=True, slots=True)
class Count:
    """Instructions per request of one app and scenario, one figure per launch."""

    launches: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The figure to compare."""
        return fmean(self.launches)

    @property
    def spread(self) -> float:
        """How far apart the launches are, as a fraction of the mean."""
        return (max(self.launches) - min(self.launches)) / self.mean


def batches(warm_up: int = WARM_UP, length: int = LENGTH) -> list[list[Wire]]:
    """The warm-up, with requests of all scenarios, then a batch of each scenario."""
    chosen = {one.name: one for one in select(Options(scenarios=SCENARIOS)).scenarios}
    drawn = [
        [(one.wire.decode("latin-1"), one.status) for one in prepare(chosen[name], 0, warm_up + length)]
        for name in SCENARIOS
    ]
    return [[wire for some in drawn for wire in some[:warm_up]], *(some[warm_up:] for some in drawn)]


@contextmanager
def driver(
    app: str,
    root: Path,
    environment: Mapping[str, str],
    requests: list[list[Wire]],
    valgrind: Sequence[str] = (),
) -> Iterator[subprocess.Popen[str]]:
    """The process that sends the requests to a checkout's app, when it is warm; killed at the end."""
    with TemporaryDirectory(prefix="sidebyside-") as folder:
        file = Path(folder, "requests.json")
        file.write_text(json.dumps(requests))
        argv = [*valgrind, sys.executable, "-P", str(DRIVER), APPS[app], str(file)]
        variables = {**os.environ, **environment, "PYTHONPATH": str(root)}
        with subprocess.Popen(
            argv, env=variables, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                if process.stdout is None or process.stdout.readline() != "warm\n":
                    raise ServerError("the app could not be driven: see above")
                yield process
            finally:
                process.kill()


def answers(process: subprocess.Popen[str]) -> list[tuple[int, str]]:
    """Lets the driver go on: the last answer of each batch, the warm-up first. ServerError when it fails."""
    out, _ = process.communicate("\n")
    if process.returncode:
        raise ServerError("the app could not be driven: see above")
    return [(status, body) for status, body in json.loads(out.splitlines()[-1])]


def total(dump: str) -> int:
    """The instructions that a dump of callgrind holds; SuiteError when it names no total."""
    if found := _TOTALS.search(dump):
        return int(found[1])
    raise SuiteError("callgrind wrote a file without a total")


def launch(app: str, root: Path, environment: Mapping[str, str]) -> dict[str, float]:
    """Instructions per request of one launch of a checkout's app, by scenario."""
    with TemporaryDirectory(prefix="sidebyside-") as folder:
        valgrind = (*_VALGRIND, f"--callgrind-out-file={folder}/counts", f"--log-file={folder}/log")
        with driver(app, root, environment, batches(), valgrind) as process:
            switch = ("vgdb", f"--pid={process.pid}", "instrumentation", "on")
            subprocess.run(switch, check=True, capture_output=True)
            answers(process)
        # The first dump is written before the first batch.
        dumps = {name: Path(folder, f"counts.{number}") for number, name in enumerate(SCENARIOS, 2)}
        return {name: total(dump.read_text()) / LENGTH for name, dump in dumps.items()}


def counts(apps: Sequence[str], roots: Sequence[Path], launches: int) -> dict[tuple[str, Path, str], Count]:
    """All apps of all checkouts, two processes at a time, each on a database of its own."""
    with services() as running, seeded_template(running.database_url) as template:

        def launched(app: str, root: Path, seed: int) -> dict[str, float]:
            copy = database_copy(running.database_url, template)
            with copy as url, TemporaryDirectory(prefix="sidebyside-") as media:
                environment = {
                    "DATABASE_URL": url,
                    "REDIS_URL": running.redis_url,
                    "MEDIA_DIR": media,
                    "SHOP_ENV": "development",
                    "PYTHONHASHSEED": str(seed),
                }
                return launch(app, root, environment)

        subjects = [(app, root) for app in apps for root in roots]
        with ThreadPoolExecutor(2) as pool:
            begun = {
                (*subject, seed): pool.submit(launched, *subject, seed)
                for seed in range(launches)
                for subject in subjects
            }
            return {
                (*subject, name): Count(
                    tuple(begun[*subject, seed].result()[name] for seed in range(launches))
                )
                for subject in subjects
                for name in SCENARIOS
            }


def table(counted: Mapping[tuple[str, Path, str], Count], here: Path, base: Path | None) -> str:
    """A line per app and scenario: instructions per request here, at the base, and here over base."""
    lines = [f"{'app':<9}{'scenario':<14}{'here':>12}{'base':>12}{'ratio':>8}  launches differ by"]
    for (app, root, scenario), new in counted.items():
        if root != here:
            continue
        figures, spread = f"{new.mean:>12,.0f}{'':>20}", new.spread
        if base:
            old = counted[app, base, scenario]
            figures = f"{new.mean:>12,.0f}{old.mean:>12,.0f}{new.mean / old.mean:>8.3f}"
            spread = max(new.spread, old.spread)
        lines.append(f"{app:<9}{scenario:<14}{figures}  {spread:.1%}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Prints the table."""
    parser = ArgumentParser(prog="python -m loadtests.studies.instructions", description=__doc__)
    parser.add_argument("--app", choices=APPS, help="one app (both)")
    parser.add_argument(
        "--base", type=Path, help="the root of another checkout, to be counted in the same run"
    )
    parser.add_argument("--launches", type=int, default=LAUNCHES, help=f"of each app ({LAUNCHES})")
    asked = parser.parse_args()
    if not which("valgrind"):
        sys.exit("valgrind is needed: install the package valgrind")
    base = asked.base.resolve() if asked.base else None
    roots = [HERE, base] if base else [HERE]
    try:
        counted = counts([asked.app] if asked.app else list(APPS), roots, asked.launches)
    except SuiteError as error:
        sys.exit(f"sidebyside: {error}")
    sys.stdout.write(table(counted, HERE, base))


if __name__ == "__main__":
    main()
