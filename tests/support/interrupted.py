"""Runs that are cut short, and what is left of them."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import psutil
import pytest

from loadtests.bench.record import load_run
from tests.support.command import descendants, started
from tests.support.waiting import eventually

WSGI, ASGI = "raw-wsgi-gthread", "raw-asgi-uvicorn"
FLOORS = ("--contestant", WSGI, "--contestant", ASGI, "--scenario", "ping")
TWO_ROUNDS = """
[[profile]]
name = "two-rounds"
title = "two rounds of a second or two"
budget_s = 50
max_rounds = 2
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
    planned = made.plan.round(1, made.sizes).slices
    measured = pl.read_parquet(folder / "samples" / "round-001.slices.parquet").sort("slice")
    return [tuple(getattr(one, name) for name in PLANNED) for one in planned], measured.select(PLANNED).rows()
