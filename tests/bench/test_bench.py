"""A short run from the command to the report, on the real servers; reported anew from its folder alone."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from loadtests.config.selection import CATALOG
from tests.support.command import run

CONTESTANTS = ("flask-gthread", "fastapi-uvicorn")
SCENARIOS = ("ping", "shop")
PAGES = ("summary.json", "report.md", "report.html")
ON_ONE_CPU = """
import os, sys
from loadtests.cli import main
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
sys.argv[0] = "sidebyside"
main()
"""


def own_catalog(folder: Path) -> Path:
    """A catalog with another margin and other titles."""
    catalog = shutil.copytree(CATALOG, folder / "catalog")
    for name, before, after in (
        ("profiles.toml", "margin = 0.03", "margin = 0.07"),
        ("contestants.toml", 'title = "', 'title = "My '),
    ):
        text = (catalog / name).read_text(encoding="utf-8")
        assert before in text
        (catalog / name).write_text(text.replace(before, after), encoding="utf-8")
    return catalog


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two contestants on two scenarios, with a catalog of its own, which is gone by now."""
    made = tmp_path_factory.mktemp("made")
    catalog = own_catalog(made)
    chosen = [word for name in CONTESTANTS for word in ("--contestant", name)]
    chosen += [word for name in SCENARIOS for word in ("--scenario", name)]
    where = ("--catalog", str(catalog), "--results-dir", str(made / "results"))
    ended = run("bench", *chosen, *where, "--budget", "18s")
    assert ended.returncode == 0, ended.stderr
    shutil.rmtree(catalog)
    return Path(ended.stdout.splitlines()[-1])


def test_the_last_line_is_the_folder_and_it_holds_everything(folder: Path) -> None:
    held = {path.name for path in folder.iterdir()}

    assert {"run.json", "samples", "summary.json", "report.md", "report.html", "charts"} <= held
    assert list((folder / "charts").glob("*.svg"))


def test_the_summary_has_every_cell_and_every_gate(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text())
    measured = {(cell["scenario"], cell["contestant"]) for cell in summary["cells"]}
    gates = {gate["gate"] for gate in summary["gates"]}

    assert summary["schema_version"] == 1
    assert summary["run"]["status"] == "complete"
    assert {(scenario, name) for scenario in SCENARIOS for name in CONTESTANTS} <= measured
    assert {"error_rate", "generator_cpu", "request_count", "bytes", "keep_alive", "same_answers"} <= gates


def test_nothing_that_does_not_hang_on_the_machine_fails_a_gate(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text())
    steady = {"error_rate", "request_count", "bytes", "keep_alive"}

    failed = [gate for gate in summary["gates"] if gate["gate"] in steady and not gate["ok"]]

    assert failed == []


def test_the_run_says_what_it_was_made_on(folder: Path) -> None:
    made = json.loads((folder / "run.json").read_text())

    assert re.match(r"\d+\.\d+", made["machine"]["PostgreSQL"])
    assert {"CPU", "Memory", "Python", "Packages"} <= made["machine"].keys()
    assert set(made["rates"]) == {"shop"}  # the profile gives ping no open loop
    assert set(made["requests"]) == {"ping", "shop"}
    assert made["requests"]["shop"] % 50 == 0  # whole cycles of its mix
    assert set(CONTESTANTS) <= made["servers"].keys()
    assert "fastapi_app.main:app" in made["servers"]["fastapi-uvicorn"]


def test_the_record_holds_what_was_chosen_and_by_which_rules(folder: Path) -> None:
    document = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    plan = document["plan"]

    assert document["cpus"] == len(os.sched_getaffinity(0))
    assert [one["name"] for one in plan["contestants"] if not one["twin_of"]] == [*CONTESTANTS]
    assert all(one["title"].startswith("My ") for one in plan["contestants"])
    assert [(one["a"], one["b"]) for one in plan["claims"]] == [CONTESTANTS]
    assert [one["name"] for one in plan["scenarios"]] == [*SCENARIOS]


def test_without_its_catalog_and_on_one_cpu_the_report_is_the_same_byte_for_byte(folder: Path) -> None:
    before = {name: (folder / name).read_bytes() for name in PAGES}
    for name in PAGES:
        (folder / name).unlink()

    command = [sys.executable, "-c", ON_ONE_CPU, "report", str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)

    assert {name: (folder / name).read_bytes() for name in PAGES} == before
