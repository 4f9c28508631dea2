"""A run of version 0.1 is reported, and compared, as it was."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from loadtests.bench.record import load_run
from tests.support.command import run_here

OLD_RUN = Path(__file__).parents[1] / "data" / "run-0.1"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The folder of a run of version 0.1, whose `run.json` names records instead of holding them."""
    return shutil.copytree(OLD_RUN, tmp_path / OLD_RUN.name)


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
