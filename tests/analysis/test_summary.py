"""`summary.json`: the keys that other programs rely on, and what is not read as a summary."""

import json
from dataclasses import replace
from typing import Any

import pytest

from loadtests.analysis.summary import Summary
from loadtests.analysis.verdict import summarise
from loadtests.errors import SuiteError
from tests.support.frames import A, B, both_loops, digested, rounds_of, run_of, samples_of

RUN = {"id", "status", "profile", "seed", "started_at", "finished_at", "duration_s"}
CELL = {
    "scenario",
    "contestant",
    "metric",
    "unit",
    "value",
    "low",
    "high",
    "rounds",
    "slices",
    "valid",
    "reasons",
}
COMPARISON = {"scenario", "metric", "a", "b", "ratio", "low", "high", "margin", "verdict"}
GATE = {"scenario", "contestant", "gate", "value", "limit", "ok"}
AA = {"metric", "ratio", "low", "high"}


@pytest.fixture(scope="module")
def summary() -> Summary:
    """Of a run with everything in it: a twin, a tripped gate, values that were not measured."""
    pieces = [*both_loops(A), *both_loops(f"{A}#2"), *both_loops(B, cpu_us=None, failed=1)]
    run = run_of(A, B, f"{A}#2", twins={f"{A}#2": A}, notes=("a note",), machine={"cpu": "Größe"})
    return summarise(digested(samples_of(*rounds_of(pieces, 3))), run)


@pytest.fixture
def document(summary: Summary) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(summary.to_json())
    return loaded


def test_what_was_written_is_read_back_the_same(summary: Summary) -> None:
    assert Summary.from_json(summary.to_json()) == summary


def test_the_document_has_every_key_of_schema_version_1(document: dict[str, Any]) -> None:
    assert document["schema_version"] == 1
    assert document.keys() == {"schema_version", "run", "cells", "comparisons", "gates", "noise", "loads"}
    assert document["run"].keys() >= RUN
    assert document["noise"].keys() == {"steal_percent", "aa", "bias"}


@pytest.mark.parametrize(
    ("table", "keys"), [("cells", CELL), ("comparisons", COMPARISON), ("gates", GATE), ("aa", AA)]
)
def test_every_row_has_every_key_of_schema_version_1(
    document: dict[str, Any], table: str, keys: set[str]
) -> None:
    rows = document["noise"]["aa"] if table == "aa" else document[table]

    assert rows
    assert all(row.keys() >= keys for row in rows)


def test_text_beyond_ascii_stays_readable(summary: Summary) -> None:
    assert "Größe" in summary.to_json()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_never_written(summary: Summary, value: float) -> None:
    broken = replace(summary, cells=(replace(summary.cells[0], value=value),))

    with pytest.raises(ValueError, match="not JSON compliant"):
        broken.to_json()


def test_unknown_keys_are_passed_over(summary: Summary, document: dict[str, Any]) -> None:
    document["colour"] = document["run"]["colour"] = document["cells"][0]["colour"] = "red"
    document["noise"]["aa"][0]["colour"] = document["run"]["claims"][0]["colour"] = "red"

    assert Summary.from_json(json.dumps(document)) == summary


def test_fields_that_were_added_later_may_be_missing(document: dict[str, Any]) -> None:
    document["run"] = {key: document["run"][key] for key in RUN}
    document["comparisons"] = [{key: row[key] for key in COMPARISON} for row in document["comparisons"]]
    document["gates"] = [{key: row[key] for key in GATE} for row in document["gates"]]

    old = Summary.from_json(json.dumps(document))

    assert (old.run.claims, old.gates[0].note, old.comparisons[0].round_ratios) == ((), "", ())


def test_another_version_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(SuiteError, match=r"schema version 1 \(schema_version is 2\); run the bench again"):
        Summary.from_json(json.dumps({**document, "schema_version": 2}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "1",
        "null",
        "{}",
        '{"schema_version": 1}',
        '{"schema_version": 1, "noise": {}, "run": {}}',
    ],
)
def test_what_is_no_summary_is_refused_in_one_line(text: str) -> None:
    assert "this is no summary" in refusal(text)


@pytest.mark.parametrize(
    ("part", "value"),
    [("run", "text"), ("run", []), ("cells", ["text"]), ("cells", [{}]), ("gates", 5), ("noise", {"aa": 1})],
)
def test_a_part_of_another_shape_is_refused_in_one_line(
    document: dict[str, Any], part: str, value: object
) -> None:
    assert "this is no summary" in refusal(json.dumps({**document, part: value}))


def refusal(text: str) -> str:
    with pytest.raises(SuiteError) as caught:
        Summary.from_json(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)
