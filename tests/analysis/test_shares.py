"""What a request costs with the database's share, and at half load."""

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from loadtests.analysis.summary import Cell
from loadtests.analysis.verdict import summarise
from loadtests.config.metrics import AT_HALF_LOAD, DATABASE, WITH_DATABASE, loop_of
from loadtests.samples.store import Samples
from tests.support.frames import A, B, Piece, both_loops, digested, rounds_of, run_of, samples_of

METRICS = (*DATABASE, WITH_DATABASE, AT_HALF_LOAD)


def figures(samples: Samples) -> dict[str, Cell]:
    """The cells of contestant A in these metrics."""
    summary = summarise(digested(samples), run_of())
    return {one.metric: one for one in summary.cells if one.contestant == A and one.metric in METRICS}


def sound(**changes: Any) -> list[Piece]:
    """Closed: 20 requests in 10 ms at 100 µs; open: 20 in 20 ms at 150 µs. PostgreSQL uses a fifth of the time."""
    closed, opened = both_loops(A)
    own = [replace(closed, cpu_us=100.0, **changes), replace(opened, cpu_us=150.0, **changes)]
    return rounds_of([*own, *both_loops(B)], 3)


def test_the_database_adds_to_the_cost_of_a_request() -> None:
    """A fifth of 10 ms is 100 µs for each of 20 requests; of 20 ms it is 200 µs."""
    found = figures(samples_of(*sound()))

    assert {name: one.value for name, one in found.items()} == pytest.approx(
        {DATABASE[0]: 100, DATABASE[1]: 200, WITH_DATABASE: 200, AT_HALF_LOAD: 150}
    )
    assert all(one.low is not None and one.rounds == 3 for one in found.values())


def test_pauses_are_part_of_every_cost_of_the_server() -> None:
    """A pause of 2 ms in 20 requests of each loop is 100 µs a request."""
    samples = samples_of(*sound(pauses=1, pause_ms=2.0, database=0.0))
    found = figures(samples)

    assert found[WITH_DATABASE].value == pytest.approx(200)
    assert found[AT_HALF_LOAD].value == pytest.approx(250)


def test_what_the_users_own_database_uses_is_not_measured() -> None:
    found = figures(samples_of(*sound(database=None)))

    assert set(found) == {AT_HALF_LOAD}


def test_what_redis_uses_is_the_databases_share_too() -> None:
    samples = samples_of(*sound())
    with_redis = samples.slices.with_columns(redis_cpu_ns=pl.col("database_cpu_ns"))

    assert figures(replace(samples, slices=with_redis))[DATABASE[0]].value == pytest.approx(200)


def test_costs_at_half_load_are_judged_by_the_gates_of_the_open_loop() -> None:
    late = sound(lag_ms=3.0)

    found = figures(samples_of(*late))

    assert [loop_of(name) for name in METRICS] == ["closed", "open", "closed", "open"]
    assert [found[name].valid for name in METRICS] == [True, False, True, False]
