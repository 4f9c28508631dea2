"""Garbage collections of servers under load: all of them are in the slices, none where a server can't tell."""

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loadtests.config.contestants import Contestant
from loadtests.load.protocol import SliceDone
from loadtests.machine.garbage import SETTLING
from loadtests.machine.servers import Endpoint
from loadtests.plan.rounds import Mode
from loadtests.reference import collector
from shared.ops.count_file import COLLECTIONS, slots
from tests.support.driving import CONTESTANTS, driven, piece

COLUMNS = [f"gen{generation}_{what}" for generation in (0, 1, 2) for what in ("count", "ns")]
COLUMNS += ["gen2_cpu_ns", "gen2_longest_ns"]


def collecting(one: Contestant, every: int, objects: int = 20_000) -> Contestant:
    """The contestant's server with a bare application that collects on purpose."""
    environment = {
        collector.APP: f"loadtests.reference.bare_{one.gateway}:app",
        collector.EVERY: str(every),
        collector.OBJECTS: str(objects),
    }
    command = (*one.command[:-1], f"loadtests.reference.collecting_{one.gateway}:app")
    return replace(one, command=command, environment=environment, needs_database=False)


@dataclass(frozen=True)
class Observed:
    """A slice that was driven, as a row of `slices`, and what the server itself had counted after it."""

    row: dict[str, Any]
    requests: int

    @property
    def measured(self) -> int:
        """The requests of its measured part."""
        requests: int = self.row["client_requests"] - self.row["warmup_requests"]
        return requests


def observed(one: Contestant) -> Observed:
    """One closed slice on the contestant."""
    stamps: list[dict[str, int]] = []

    def read_stamps(_: SliceDone, endpoints: Mapping[str, Endpoint]) -> None:
        endpoint = endpoints[one.name]
        with urllib.request.urlopen(f"http://{endpoint.host}:{endpoint.port}{collector.STAMPS}") as answer:
            stamps.append(json.load(answer))

    done = driven([piece(0, one.name)], known={one.name: one}, on_slice=read_stamps)
    (row,) = done.measurement.slices.to_dicts()
    return Observed(row, stamps[0]["requests"])


@pytest.mark.parametrize(
    "name",
    ["raw-asgi-uvicorn", "raw-wsgi-gthread", "raw-wsgi-gevent", "raw-asgi-granian", "fastapi-gunicorn"],
)
def test_every_collection_of_the_measured_part_is_counted_and_timed(name: str) -> None:
    every = 7

    seen = observed(collecting(CONTESTANTS[name], every))

    last = seen.requests - 1  # the count of requests is asked for once more after the slice
    assert seen.row["gen2_count"] == last // every - (last - seen.measured) // every > 1
    assert 0 < seen.row["gen2_longest_ns"] < seen.row["gen2_ns"]
    assert 0 < seen.row["gen2_cpu_ns"] < seen.row["server_cpu_ns"]
    assert seen.row["server_requests"] == seen.row["client_requests"]


@pytest.mark.parametrize("name", ["fastapi-uvicorn-2w", "flask-gthread-2w", "fastapi-granian-2w"])
def test_the_collections_of_all_workers_are_added_up(name: str) -> None:
    seen = observed(collecting(CONTESTANTS[name], every=1))

    assert seen.row["gen2_count"] == seen.measured
    assert 0 < seen.row["gen2_longest_ns"] < seen.row["gen2_ns"]


def test_a_server_that_is_not_observed_has_no_figures() -> None:
    blind = CONTESTANTS["raw-asgi-uvicorn"]
    blind = replace(blind, command=("{python}", "-E", *blind.command[1:]))  # it takes no notice of PYTHONPATH

    slices = driven([piece(0, blind.name)], known={blind.name: blind}).measurement.slices

    assert slices.select(pl.col(COLUMNS).is_null().all()).row(0) == (True,) * len(COLUMNS)


def test_a_server_that_never_collects_has_zeros() -> None:
    slices = driven([piece(0, "raw-asgi-uvicorn")]).measurement.slices

    assert slices.select("gen2_count", "gen2_ns", "gen2_longest_ns").row(0) == (0, 0, 0)


def test_each_loop_of_a_scenario_begins_with_the_collector_settled() -> None:
    """A closed loop of many users would leave objects that make an open one pause sooner than it does by itself."""
    one = collecting(CONTESTANTS["raw-asgi-uvicorn"], every=3)
    settled: list[int] = []

    def read_slots(_: SliceDone, endpoints: Mapping[str, Endpoint]) -> None:
        rows = slots(Path(endpoints[one.name].count_file).read_bytes())
        settled.append(sum(row[SETTLING] for row in rows if row[0] == COLLECTIONS) // 2)

    modes: tuple[Mode, ...] = ("closed", "closed", "open", "open")
    pieces = [piece(place, one.name, mode, block=place) for place, mode in enumerate(modes)]
    driven(pieces, known={one.name: one}, on_slice=read_slots)

    assert settled == [1, 1, 2, 2]
