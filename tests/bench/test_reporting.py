"""A run is reported from its folder alone: on any machine, with any catalog, also one of version 0.1."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loadtests.bench.record import load_run
from loadtests.config.selection import CATALOG
from tests.support.command import run, run_here

OLD_RUN = Path(__file__).parents[1] / "data" / "run-0.1"
PAGES = ("summary.json", "report.md", "report.html")
ON_ONE_CPU = """
import os, sys
from loadtests.cli import main
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
sys.argv[0] = "sidebyside"
main()
"""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two floors with a catalog of its own, which is gone by now."""
    folder = tmp_path_factory.mktemp("measured")
    catalog = shutil.copytree(CATALOG, folder / "catalog")
    profiles = (catalog / "profiles.toml").read_text(encoding="utf-8")
    (catalog / "profiles.toml").write_text(
        profiles.replace("margin = 0.03", "margin = 0.07"), encoding="utf-8"
    )
    contestants = (catalog / "contestants.toml").read_text(encoding="utf-8")
    (catalog / "contestants.toml").write_text(contestants.replace("No framework", "Next to nothing"), "utf-8")
    chosen = ("--contestant", "raw-asgi-uvicorn", "--contestant", "raw-wsgi-gthread", "--scenario", "ping")
    where = ("--catalog", str(catalog), "--results-dir", str(folder / "results"))
    ended = run("bench", *chosen, *where, "--budget", "14s")
    assert ended.returncode == 0, ended.stderr
    shutil.rmtree(catalog)
    return Path(ended.stdout.splitlines()[-1])


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The folder of a run of version 0.1, whose `run.json` names records instead of holding them."""
    return shutil.copytree(OLD_RUN, tmp_path / OLD_RUN.name)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two CPUs to take one away")
def test_without_its_catalog_and_on_one_cpu_the_report_is_the_same_byte_for_byte(measured: Path) -> None:
    before = {name: (measured / name).read_bytes() for name in PAGES}
    for name in PAGES:
        (measured / name).unlink()

    command = [sys.executable, "-c", ON_ONE_CPU, "report", str(measured)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)

    assert {name: (measured / name).read_bytes() for name in PAGES} == before


def test_the_record_holds_what_was_chosen_and_by_which_rules(measured: Path) -> None:
    document = json.loads((measured / "run.json").read_text(encoding="utf-8"))
    plan = document["plan"]

    assert document["cpus"] == len(os.sched_getaffinity(0))
    assert [one["name"] for one in plan["contestants"]] == ["raw-wsgi-gthread", "raw-asgi-uvicorn"]
    assert all(one["title"].startswith("Next to nothing") for one in plan["contestants"])
    assert [(one["a"], one["b"]) for one in plan["claims"]] == [("raw-wsgi-gthread", "raw-asgi-uvicorn")]
    assert [one["name"] for one in plan["scenarios"]] == ["ping"]


def measured_in(summary: Any, like: Any) -> Any:
    """What both summaries have, without words and without the intervals that used to be adjusted for all of a table.

    Latencies are left out: their percentiles are pooled over rounds now, and were averaged then. So are gates, which
    looked at all loops together.
    """
    if isinstance(like, dict):
        kept = like.keys() - {
            "note",
            "reasons",
            "stop_rule",
            "gates",
            *({"low", "high"} if "low_single" in like else ()),
        }
        return {key: measured_in(summary[key], like[key]) for key in kept}
    if isinstance(like, list):
        pairs = zip([_same(summary, row) for row in like] if _rows(like) else summary, like, strict=True)
        return [measured_in(*both) for both in pairs if not is_latency(both[1])]
    return (
        float(f"{summary:.9g}") if isinstance(summary, float) else summary
    )  # last digits: order of additions


def _rows(like: list[Any]) -> bool:
    return all(isinstance(one, dict) for one in like)


def _same(rows: list[Any], like: Any) -> Any:
    """The row that is about the same as this one: there may be more of them now."""
    about = {"scenario", "contestant", "metric", "a", "b"} & like.keys()
    return next(row for row in rows if all(row[name] == like[name] for name in about))


def is_latency(one: Any) -> bool:
    named = str(one.get("metric")) if isinstance(one, dict) else ""
    return named.startswith(("response_", "service_"))


def test_a_run_of_version_0_1_is_reported_as_it_was(old: Path) -> None:
    before = json.loads((old / "summary.json").read_text(encoding="utf-8"))

    reported = run_here("report", str(old))

    after = json.loads((old / "summary.json").read_text(encoding="utf-8"))
    assert reported.returncode == 0, reported.stderr
    assert measured_in(after, like=before) == measured_in(before, like=before)
    assert {one["gate"] for one in after["gates"]} >= {one["gate"] for one in before["gates"]}
    meters = [
        one["ok"] for one in after["gates"] if one["gate"] in {"load_cpus", "foreign_cpu", "same_answers"}
    ]
    assert set(meters) == {None}  # not checked then


def test_a_run_of_version_0_1_keeps_the_cpu_count_of_its_machine(old: Path) -> None:
    document = json.loads((old / "run.json").read_text(encoding="utf-8"))
    document["machine"]["CPUs"] = "7 (servers on CPUs 0-2, load and database on CPUs 3-6)"
    (old / "run.json").write_text(json.dumps(document), encoding="utf-8")

    assert load_run(old).cpus == 7


def test_a_run_of_version_0_1_is_compared(old: Path) -> None:
    compared = run_here("compare", str(old), str(old))

    assert compared.returncode == 0
    assert "raw-wsgi-gthread / raw-asgi-uvicorn" in compared.stdout
    assert "0 of 6 comparisons changed by more than both intervals explain" in " ".join(
        compared.stdout.split()
    )
