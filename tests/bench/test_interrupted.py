"""Runs that are cut short, each in another way: what was measured stays, nothing else does, and the user can go on.

All cut the second round of one and the same run, whose first was finished, while that round is under load.
"""

import json
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import psutil
import psycopg
import pytest

from loadtests.bench.record import load_run
from loadtests.config.selection import CATALOG
from loadtests.machine.databases import seeded_template
from loadtests.machine.reachable import libpq_url
from loadtests.machine.services import Services
from loadtests.runs.record import save_record
from tests.support.command import PROGRAM, descendants, run, started, survivors
from tests.support.waiting import eventually

WSGI, ASGI = "raw-wsgi-gthread", "raw-asgi-uvicorn"
FLOORS = ("--contestant", WSGI, "--contestant", ASGI, "--scenario", "ping")
TWO_ROUNDS = """
[[profile]]
name = "two-rounds"
title = "two rounds of a second or two"
budget_s = 50
max_rounds = 2
closed_blocks = 1
open_blocks = 1
"""
PLANNED = ["scenario", "contestant", "mode", "block"]


@dataclass(frozen=True)
class Cut:
    """How a run ended that was cut short."""

    folder: Path
    status: int
    told: str
    begun: list[psutil.Process]

    @property
    def line(self) -> str:
        """The one line that tells the user, without its beginning; progress lines are not counted."""
        (line,) = [line for line in self.told.splitlines() if line.startswith("sidebyside: ")]
        assert "Traceback" not in self.told
        return line.removeprefix("sidebyside: ")


@pytest.fixture(scope="module")
def first_cut(tmp_path_factory: pytest.TempPathFactory) -> Cut:
    """A run that was interrupted from the keyboard; the others are copies of it that were gone on with."""
    folder = tmp_path_factory.mktemp("first")
    catalog = shutil.copytree(CATALOG, folder / "catalog")
    with (catalog / "profiles.toml").open("a", encoding="utf-8") as profiles:
        profiles.write(TWO_ROUNDS)
    config = folder / "sidebyside.toml"
    config.write_text('[bench]\ncatalog = "catalog"\nprofile = "two-rounds"\nseed = 7\n', encoding="utf-8")
    arguments = ("bench", *FLOORS, "--config", str(config), "--results-dir", str(folder / "results"))
    return cut(lambda process, _: process.send_signal(signal.SIGINT), *arguments)


@pytest.fixture
def begun_run(first_cut: Cut, tmp_path: Path) -> Path:
    """The folder of a run with one finished round."""
    return shutil.copytree(first_cut.folder, tmp_path / first_cut.folder.name)


@pytest.fixture(autouse=True)
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder of the test's own; its path is short, as that of a socket must be."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user where this is root
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


def cut(how: Callable[["subprocess.Popen[str]", dict[str, psutil.Process]], None], *arguments: str) -> Cut:
    """Run the program, cut its second round short while it is under load, and await its end.

    how: is given the program, and by name the processes "load", WSGI and ASGI.
    """
    with started(*arguments) as process:
        await_line(process, "round 2")
        roles = await_load(process)
        begun = descendants(process)
        how(process, roles)
        _, told = process.communicate(timeout=60)
    folder = next(Path(arguments[-1]).iterdir()) if "--results-dir" in arguments else Path(arguments[-1])
    return Cut(folder, process.returncode, told, begun)


def await_line(process: "subprocess.Popen[str]", start: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(start):
            return
    pytest.fail(f"the run ended before it said {start!r}")


def await_load(process: "subprocess.Popen[str]") -> dict[str, psutil.Process]:
    """The processes of the round, as soon as users are connected to the server."""

    def under_load() -> dict[str, psutil.Process] | None:
        assert process.poll() is None, "it ended before it was under load"
        roles = {role: one for one in descendants(process) for role in role_of(one)}
        return roles if len(roles) == 3 and is_asked(roles[ASGI]) else None

    return eventually(under_load, "the round is under load") or {}


def role_of(process: psutil.Process) -> list[str]:
    words = {
        "loadtests/load/locust_process.py": "load",
        "loadtests.reference.bare_wsgi:app": WSGI,
        "loadtests.reference.bare_asgi:app": ASGI,
    }
    try:
        called = " ".join(process.cmdline())
    except psutil.Error:
        return []
    return [role for word, role in words.items() if word in called]


def is_asked(server: psutil.Process) -> bool:
    return any(one.status == psutil.CONN_ESTABLISHED for one in server.net_connections("tcp"))


def samples(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "samples").iterdir()}


def told_of(folder: Path) -> tuple[str, int]:
    """Status and number of rounds as the report has them."""
    facts = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["run"]
    return facts["status"], facts["rounds"]


def planned_and_measured(folder: Path) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """What the plan wants of the second round, and what was done, in order."""
    made = load_run(folder)
    planned = made.plan.round(1, made.rates).slices
    measured = pl.read_parquet(folder / "samples" / "round-001.slices.parquet").sort("slice")
    return [tuple(getattr(one, name) for name in PLANNED) for one in planned], measured.select(PLANNED).rows()


def test_an_interrupted_run_says_how_to_go_on_and_reports_what_there_is(first_cut: Cut) -> None:
    assert first_cut.status == 130
    assert first_cut.line == (
        f"stopped; 1 finished round kept; continue with: sidebyside bench --resume {first_cut.folder}"
    )
    assert survivors(first_cut.begun) == []
    assert told_of(first_cut.folder) == ("partial", 1)
    assert load_run(first_cut.folder).options.seed == 7
    assert len(samples(first_cut.folder)) == 3


def test_a_terminated_run_keeps_its_finished_rounds_and_nothing_of_the_other(
    begun_run: Path, temporary: Path
) -> None:
    before = samples(begun_run)

    ended = cut(lambda process, _: process.terminate(), "bench", "--resume", str(begun_run))

    assert ended.status == 130
    assert ended.line.startswith("stopped; 1 finished round kept; continue with: ")
    assert survivors(ended.begun) == []
    assert list(temporary.iterdir()) == []
    assert samples(begun_run) == before
    assert told_of(begun_run) == ("partial", 1)


def test_a_killed_run_leaves_no_process_and_the_next_command_clears_what_it_left(
    begun_run: Path, temporary: Path
) -> None:
    before = samples(begun_run)
    (begun_run / "summary.json").unlink()

    ended = cut(lambda process, _: process.kill(), "bench", "--resume", str(begun_run))

    assert ended.status == -signal.SIGKILL
    assert len(ended.begun) >= 4  # Locust, two servers, a worker
    assert survivors(ended.begun) == []
    assert samples(begun_run) == before
    assert [path.name.startswith("sidebyside-run-") for path in temporary.iterdir()] == [True]

    reported = run("report", str(begun_run))

    assert reported.returncode == 0, reported.stderr
    assert told_of(begun_run) == ("partial", 1)
    assert list(temporary.iterdir()) == []


def test_a_run_that_was_killed_before_it_could_note_its_rates_goes_on_as_planned(begun_run: Path) -> None:
    noted = load_run(begun_run)
    save_record(replace(noted, rates={}), begun_run)

    resumed = run("bench", "--resume", str(begun_run))
    planned, measured = planned_and_measured(begun_run)

    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout.splitlines()[-1] == str(begun_run)
    assert told_of(begun_run) == ("complete", 2)
    assert load_run(begun_run).rates == noted.rates
    assert measured == planned
    assert {row[2] for row in measured} == {"closed", "open"}


def test_a_folder_of_a_run_that_goes_on_is_left_alone(temporary: Path) -> None:
    with started("serve", ASGI) as process:
        assert process.stdout is not None
        process.stdout.readline()
        held = list(temporary.iterdir())
        listed = run("list")
        still_held = list(temporary.iterdir())

    assert listed.returncode == 0
    assert len(held) == 1
    assert still_held == held
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("role", "told"),
    [
        ("load", "the load generator "),
        (ASGI, f"{ASGI} was killed by SIGKILL while it was in use; it said: nothing; "),
    ],
)
def test_a_round_that_lost_a_process_is_thrown_away_and_the_line_names_it(
    role: str, told: str, begun_run: Path, temporary: Path
) -> None:
    before = samples(begun_run)

    ended = cut(lambda _, roles: roles[role].kill(), "bench", "--resume", str(begun_run))

    assert ended.status == 2
    assert ended.line.startswith(told)
    assert ended.line.endswith(f"1 finished round kept; continue with: sidebyside bench --resume {begun_run}")
    assert survivors(ended.begun) == []
    assert list(temporary.iterdir()) == []
    assert samples(begun_run) == before
    assert told_of(begun_run) == ("partial", 1)


@dataclass(frozen=True)
class Disk:
    """A small disk that only processes in the holder's mount namespace see, at `place`."""

    place: Path
    holder: int

    @property
    def from_here(self) -> Path:
        return Path(f"/proc/{self.holder}/root{self.place}")

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        enter = ("nsenter", "-t", str(self.holder), "-m", "-w")
        return subprocess.run(
            [*enter, *PROGRAM, *arguments], capture_output=True, text=True, timeout=180, check=False
        )

    def fill(self, left_bytes: int) -> Path:
        """A file that leaves no more room than that."""
        filler = self.from_here / "filler"
        filler.write_bytes(bytes(shutil.disk_usage(self.from_here).free - left_bytes))
        return filler


@contextmanager
def small_disk() -> Iterator[Disk]:
    """A disk of 16 MiB in memory, gone with the block."""
    mount = 'mount -t tmpfs -o size=16m none "$0" && echo mounted && exec cat'
    with tempfile.TemporaryDirectory() as place:
        argv = ["unshare", "-m", "sh", "-c", mount, place]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "mounted\n"
            try:
                yield Disk(Path(place), holder.pid)
            finally:
                holder.kill()


def can_mount() -> bool:
    with tempfile.TemporaryDirectory() as place:
        argv = ["unshare", "-m", "mount", "-t", "tmpfs", "none", place]
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0


CAN_MOUNT = can_mount()


@pytest.mark.skipif(not CAN_MOUNT, reason="may not mount a disk: a file that may not grow is tried instead")
def test_a_full_disk_ends_the_run_in_one_line_and_loses_nothing(first_cut: Cut) -> None:
    with small_disk() as disk:
        folder, seen = str(disk.place / "run"), disk.from_here / "run"
        shutil.copytree(first_cut.folder, seen)
        before = samples(seen)
        filler = disk.fill(left_bytes=16_384)

        ended = disk.run("bench", "--resume", folder)
        after = samples(seen)
        filler.unlink()
        reported, partial = disk.run("report", folder), told_of(seen)
        resumed, complete = disk.run("bench", "--resume", folder), told_of(seen)
        planned, measured = planned_and_measured(seen)

    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert "No space left on device" in ended.stderr.splitlines()[-1]
    assert ended.stderr.endswith(
        f"1 finished round kept; continue with: sidebyside bench --resume {folder}\n"
    )
    assert after == before
    assert (reported.returncode, partial) == (0, ("partial", 1))
    assert (resumed.returncode, complete) == (0, ("complete", 2)), resumed.stderr
    assert measured == planned


@pytest.mark.skipif(CAN_MOUNT, reason="a full disk is tried")
def test_a_file_that_may_not_grow_ends_the_run_in_one_line(begun_run: Path) -> None:
    before = samples(begun_run)

    def forbid(process: "subprocess.Popen[str]", _: object) -> None:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (16_384, 16_384))

    ended = cut(forbid, "bench", "--resume", str(begun_run))

    assert ended.status == 2
    assert "File too large" in ended.line
    assert ended.line.endswith(f"1 finished round kept; continue with: sidebyside bench --resume {begun_run}")
    assert survivors(ended.begun) == []
    assert samples(begun_run) == before


TEMPLATE_HOLDER = """
import sys, time
from loadtests.machine.databases import database_copy, seeded_template
with seeded_template(sys.argv[1]) as name, database_copy(sys.argv[1], name):
    print(name, flush=True)
    time.sleep(60)
"""


def test_databases_of_a_killed_process_are_dropped_by_the_next_and_those_in_use_are_kept(
    running_services: Services,
) -> None:
    url = running_services.database_url
    argv = [sys.executable, "-c", TEMPLATE_HOLDER, url]
    with seeded_template(url) as in_use, subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        abandoned = holder.stdout.readline().strip()
        made = databases(url, abandoned)
        holder.kill()
        await_disconnected(url, abandoned)
        with seeded_template(url):
            assert len(made) == 2
            assert databases(url, abandoned) == []
            assert databases(url, in_use) == [in_use]


def databases(url: str, template: str) -> list[str]:
    """The template and its copies."""
    with psycopg.connect(libpq_url(url)) as connection:
        found = connection.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [template]
        )
        return [name for (name,) in found]


def await_disconnected(url: str, owner: str) -> None:
    """Return once the server has noticed that the owner is gone."""
    connected = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s"
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        eventually(lambda: not connection.execute(connected, [owner]).fetchone(), "the owner is disconnected")
