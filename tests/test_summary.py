"""`summary.json`: the promised keys, and the way there and back."""

import json

import pytest

from loadtests.errors import SuiteError
from loadtests.summary import Summary
from loadtests.verdict import summarise
from tests.synthetic import Server, two


@pytest.fixture(scope="module")
def summary() -> Summary:
    """Of a made-up run in which b is faster."""
    world = two(a=Server(service_ms=6), rounds=4)
    return summarise(world.samples(), world.run())


def test_a_summary_comes_back_from_its_json_as_it_was(summary: Summary) -> None:
    assert Summary.from_json(summary.to_json()) == summary


def test_the_json_has_the_keys_that_other_programs_rely_on(summary: Summary) -> None:
    document = json.loads(summary.to_json())

    assert document["schema_version"] == 1
    assert {"schema_version", "run", "cells", "comparisons", "gates", "noise"} <= document.keys()
    assert {"id", "status", "profile", "seed", "started_at", "finished_at", "duration_s"} <= document[
        "run"
    ].keys()
    assert {
        "scenario", "contestant", "metric", "unit", "value", "low", "high", "rounds", "slices", "valid", "reasons",
    } <= document["cells"][0].keys()  # fmt: skip
    assert {"scenario", "metric", "a", "b", "ratio", "low", "high", "margin", "verdict"} <= document[
        "comparisons"
    ][0].keys()
    assert {"scenario", "contestant", "gate", "value", "limit", "ok"} <= document["gates"][0].keys()
    assert {"steal_percent", "aa"} <= document["noise"].keys()


def test_keys_of_a_later_version_of_the_same_schema_are_passed_over(summary: Summary) -> None:
    document = json.loads(summary.to_json())
    document["later"] = 1
    document["cells"][0]["later"] = 1
    document["run"]["claims"][0]["later"] = 1

    assert Summary.from_json(json.dumps(document)) == summary


def test_keys_that_were_added_to_the_schema_may_be_absent(summary: Summary) -> None:
    document = json.loads(summary.to_json())
    for comparison in document["comparisons"]:
        for added in ("low_single", "high_single", "p_value", "round_ratios", "note", "rounds", "blocks"):
            del comparison[added]
    for added in ("machine", "contestants", "scenarios", "claims", "keep_alive"):
        del document["run"][added]

    read = Summary.from_json(json.dumps(document))

    assert [one.ratio for one in read.comparisons] == [one.ratio for one in summary.comparisons]
    assert read.run.claims == ()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema_version": 2}', '{"schema_version": 1, "run": {}}'], ids=repr
)
def test_anything_else_is_an_error_that_says_what_to_do(text: str) -> None:
    with pytest.raises(SuiteError, match=r"no summary of schema version 1.*run the bench again"):
        Summary.from_json(text)
