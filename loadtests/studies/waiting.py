"""How many requests wait at once: throughput and response times of `sleep-50ms` against the number of users.

Run as `make waiting`. A request does nothing but wait, so a server answers min(users, slots) requests per 50 ms, until
its CPU is busy; slots are its threads. The table goes to standard output, and with all figures into a folder below
results/.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console

from loadtests.config.catalog import Catalog
from loadtests.config.contestants import Contestant
from loadtests.config.scenarios import Scenario
from loadtests.config.selection import CATALOG
from loadtests.load.drive import drive
from loadtests.machine.description import describe
from loadtests.machine.environment import Environment, open_environment
from loadtests.machine.limits import listen_backlog, raise_open_files
from loadtests.plan.rounds import Round, Slice
from loadtests.report.markdown import table_to_markdown
from loadtests.report.terminal import to_terminal
from loadtests.runs.folder import dated_folder, write_whole
from loadtests.samples.facts import SliceFacts, facts_in
from loadtests.samples.store import Failure, Measurement
from loadtests.studies.waiting_points import Point, Server, Window, pooled
from loadtests.studies.waiting_tables import tables

SCENARIO = "sleep-50ms"
USERS = (1, 8, 32, 64, 128, 256, 512, 1000)
ROUNDS = 2
SETTLE_S, SETTLE_EACH_S, WINDOW_S = (
    0.3,
    0.0007,
    1.5,
)  # each: about what a request costs, of those that come at once
NO_WARMUP_S = 1e-9  # a nanosecond, in which nothing is sent: with 0 s, each user would wait twice beforehand
LONGEST_WAIT_MS = 6500.0  # a request may take 10 s; users that would wait longer are not tried
CONNECTIONS = 2000  # gthread's own limit is 1,000, and it closes connections before that is reached
BACKLOG = 2048  # what gunicorn and uvicorn ask for
SPARE_FILES = 200


def servers() -> tuple[Server, ...]:
    """Those of the quick profile, and gthread with 64 threads."""
    known = Catalog(CATALOG).contestants
    gthread = _roomy(known["flask-gthread"])
    return (
        Server(known["flask-sync"], 1),
        Server(gthread, 8),
        Server(with_threads(gthread, 64), 64),
        Server(known["flask-gevent"], None),
        Server(known["fastapi-uvicorn"], None),
    )


def with_threads(one: Contestant, threads: int) -> Contestant:
    """The same server with that many threads, under a name and title that say so."""
    place = one.command.index("--threads") + 1
    command = (*one.command[:place], str(threads), *one.command[place + 1 :])
    return replace(
        one, name=f"{one.name}-{threads}t", title=f"{one.title}, {threads} threads", command=command
    )


def _roomy(one: Contestant) -> Contestant:
    place = one.command.index("--threads")
    options = ("--worker-connections", str(CONNECTIONS))
    return replace(one, command=(*one.command[:place], *options, *one.command[place:]))


def why_not(server: Server, users: int, files: int, count: int) -> str:
    """Why that many users are not tried, empty if they are; files: how many may be open, count: of the servers."""
    if server.least_ms(users) > LONGEST_WAIT_MS:
        return f"not tried: each request would wait {server.least_ms(users) / 1000:.0f} s"
    if users * count + SPARE_FILES > files:
        return f"not tried: only {files} files may be open"
    return ""


def round_of(index: int, tried: Sequence[tuple[Server, int]]) -> Round:
    """One closed slice of each server and number of users, in an order drawn from the index."""
    order = np.random.default_rng(index).permutation(len(tried))
    return Round(index, tuple(_slice(place, *tried[number]) for place, number in enumerate(order)))


def _slice(place: int, server: Server, users: int) -> Slice:
    duration_s = _settled_s(server, users) + WINDOW_S
    name = server.contestant.name
    return Slice(place, 0, SCENARIO, name, "closed", duration_s, NO_WARMUP_S, users, None, seed=0)


def _settled_s(server: Server, users: int) -> float:
    """When the first requests, which all come at once, are answered, and those that follow wait as long as the rest."""
    return SETTLE_S + SETTLE_EACH_S * users + server.least_ms(users) / 1000


def windows(measured: Measurement, known: Sequence[Server]) -> Iterator[Window]:
    """What came of each slice of a round after it had settled."""
    by_name = {one.contestant.name: one for one in known}
    requests = measured.requests.partition_by("slice", as_dict=True)
    for facts in facts_in(measured.slices):
        server, own = by_name[facts.contestant], requests.get((facts.slice,), measured.requests.clear())
        yield _window(own, facts, round(_settled_s(server, facts.concurrency) * 1e9))


def _window(requests: pl.DataFrame, facts: SliceFacts, settled_ns: int) -> Window:
    within = requests.filter(pl.col("end_ns").is_between(facts.start_ns + settled_ns, facts.stop_ns))
    answers = within.filter(pl.col("failure") == Failure.NONE)
    times_ms = ((answers["end_ns"] - answers["sent_ns"]) / 1e6).to_list()
    return Window(
        server=facts.contestant,
        users=facts.concurrency,
        rps=answers.height / (facts.stop_ns - facts.start_ns - settled_ns) * 1e9,
        times_ms=tuple(times_ms),
        failed=requests.filter(pl.col("failure") != Failure.NONE).height,
        cpu_us=_cpu_us(requests, facts),
        generator_percent=100 * facts.generator_cpu_ns / facts.span_ns if facts.span_ns > 0 else 0.0,
    )


def _cpu_us(requests: pl.DataFrame, facts: SliceFacts) -> float | None:
    answered = requests.filter(pl.col("failure") == Failure.NONE).height
    return facts.server_cpu_ns / answered / 1000 if facts.server_cpu_ns is not None and answered else None


def measured(
    environment: Environment, known: Sequence[Server], scenario: Scenario, files: int, users: Sequence[int]
) -> list[Point]:
    """Every server with every number of users, in ROUNDS rounds of fresh processes."""
    cases = [(one, count, why_not(one, count, files, len(known))) for one in known for count in users]
    tried = [(one, count) for one, count, reason in cases if not reason]
    seen: list[Window] = []
    for index in range(ROUNDS):
        with environment.servers([one.contestant for one in known]) as endpoints:
            driven = drive(round_of(index, tried), (scenario,), endpoints, cpus=environment.load_cpus, seed=0)
        seen += windows(driven, known)
    return [pooled(one, count, _of(seen, one, count), reason) for one, count, reason in cases]


def _of(seen: Sequence[Window], server: Server, users: int) -> list[Window]:
    return [one for one in seen if (one.server, one.users) == (server.contestant.name, users)]


def limits(files: int) -> str:
    """What this machine and the servers allow, in a sentence."""
    return (
        f"{files} open files per process, {listen_backlog(BACKLOG)} connections that wait to be accepted,"
        f" {CONNECTIONS} connections per process on gthread and gevent; uvicorn has no limit of its own."
    )


def main() -> None:
    """Measures, prints the tables, and writes `waiting.json` and `waiting.md`; the last line is their folder."""
    known, scenario = servers(), Catalog(CATALOG).scenarios[SCENARIO]
    files = raise_open_files(len(known) * max(USERS) + SPARE_FILES)
    with open_environment(seed=0) as environment:
        machine = describe(environment.cpus, environment.database_url)
        points = measured(environment, known, scenario, files, USERS)
    shown = tables(points, limits(files))
    folder = dated_folder(Path("results"), datetime.now(UTC), "waiting")
    write_whole(
        folder / "waiting.json",
        {
            "schema_version": 1,
            "scenario": SCENARIO,
            "limits": limits(files),
            "machine": machine,
            "points": [asdict(one) for one in points],
        },
    )
    facts = "\n".join(f"* {name}: {fact}" for name, fact in machine.items() if name != "Packages")
    pages = [f"# Waiting: {SCENARIO}", *map(table_to_markdown, shown), facts]
    (folder / "waiting.md").write_text("\n\n".join(pages) + "\n", encoding="utf-8")
    console = Console(highlight=False)
    for table in shown:
        console.print(to_terminal(table))
    sys.stdout.write(f"{folder}\n")


if __name__ == "__main__":
    main()
