"""A short run from the command to the report, on the real servers."""

import json
import re
from pathlib import Path

import pytest

from tests.support.command import run

CONTESTANTS = ("flask-gthread", "fastapi-uvicorn")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two contestants on two scenarios."""
    chosen = [word for name in CONTESTANTS for word in ("--contestant", name)]
    results = tmp_path_factory.mktemp("results")
    ended = run(
        "bench",
        *chosen,
        "--scenario",
        "ping",
        "--scenario",
        "shop",
        "--budget",
        "18s",
        "--results-dir",
        str(results),
    )
    assert ended.returncode == 0, ended.stderr
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
    assert {(scenario, name) for scenario in ("ping", "shop") for name in CONTESTANTS} <= measured
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


def test_the_report_is_rebuilt_from_the_samples_alone(folder: Path) -> None:
    before = json.loads((folder / "summary.json").read_text())
    for name in ("summary.json", "report.md", "report.html"):
        (folder / name).unlink()

    ended = run("report", str(folder))

    assert ended.returncode == 0, ended.stderr
    assert json.loads((folder / "summary.json").read_text()) == before
    assert (folder / "report.html").stat().st_size > 10_000
