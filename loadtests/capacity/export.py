"""`capacity.json`: every search, step by step, with the curves and overloads that follow from them."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from loadtests.capacity.replay import Replay
from loadtests.capacity.request import Request
from loadtests.capacity.verdict import grouped, points, surges

SCHEMA_VERSION = 1


def exported(replays: Sequence[Replay], request: Request) -> dict[str, Any]:
    """The document, as `json.dumps` takes it."""
    held = grouped(replays)
    return {
        "schema_version": SCHEMA_VERSION,
        "aim": asdict(request),
        "curves": [
            {"scenario": scenario, "contestant": contestant, "points": [asdict(point) for point in own]}
            for (scenario, contestant), own in points(held).items()
        ],
        "overload": [
            {"scenario": scenario, "contestant": contestant, **asdict(one)}
            for (scenario, contestant), one in surges(held).items()
        ],
        "searches": [_searched(one) for one in replays],
    }


def _searched(one: Replay) -> dict[str, Any]:
    return {
        "round": one.round,
        "scenario": one.search.scenario,
        "contestant": one.search.contestant,
        "rule": one.search.rule,
        "capacity_rps": one.capacity_rps,
        "passing_rps": one.passing_rps,
        "failing_rps": one.failing_rps,
        "reason": one.reason,
        "cause": one.cause,
        "knee_rps": one.knee_rps,
        "overload": None if one.overload is None else asdict(one.overload),
        "steps": [
            {**asdict(step), **asdict(outcome), "met": one.search.is_met(outcome)}
            for step, outcome in one.trail
        ],
    }
