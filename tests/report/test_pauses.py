"""What the report says of pauses: how much they cost, what contains them, and what mends them."""

from dataclasses import replace
from typing import Any

import pytest

from loadtests.analysis.summary import Cell, Summary
from loadtests.config.catalog import Catalog
from loadtests.config.selection import CATALOG
from loadtests.report.answer import answer
from loadtests.report.evidence import figure_tables
from loadtests.report.pauses import FROZEN
from tests.support.summaries import RUN, A, B, compared, summary_of

FROZEN_B = f"{B}-frozen"


def paused(
    contestant: str,
    share: float,
    longest_ms: float = 75.0,
    every: float | None = 1400.0,
    p99_ms: float | None = None,
) -> tuple[Cell, ...]:
    """A request that costs 100 µs, of which that share is pauses."""
    values = {
        "cpu_us_per_request": 100.0,
        "pause_us_per_request": 100 * share,
        "longest_pause_ms": longest_ms,
        "requests_between_pauses": every,
        "response_p99_ms": p99_ms,
    }
    return tuple(
        Cell("ping", contestant, metric, "", value, None, None, 8, 32) for metric, value in values.items()
    )


def said(*cells: Cell, **changes: Any) -> str:
    """What follows the three sentences of the answer."""
    summary = summary_of(compared("b_better"), cells=cells, run=replace(RUN, **changes))
    return " ".join(answer(summary)[3:])


def test_pauses_that_matter_are_told_with_their_share_length_and_distance() -> None:
    assert said(*paused(B, 0.081, p99_ms=87.0), *paused(A, 0.004, longest_ms=60.0)) == (
        "Pauses for full garbage collections are part of these figures. FastAPI on uvicorn spends 8.1 % of its CPU time"
        " on them in Ping, one every 1,400 requests, 75.0 ms at the longest; p99 and beyond contain them. To see what"
        " gc.freeze() after start-up mends: sidebyside bench --scenario ping --contestant fastapi-uvicorn --contestant"
        " fastapi-uvicorn-frozen."
    )


def test_what_freezing_mends_is_told_from_the_run_itself() -> None:
    text = said(
        *paused(B, 0.081, p99_ms=87.0),
        *paused(FROZEN_B, 0.002, longest_ms=5.0, every=9000.0, p99_ms=12.0),
        contestants={**RUN.contestants, FROZEN_B: "FastAPI, frozen"},
    )

    assert text.endswith(
        "With gc.freeze() after start-up (fastapi-uvicorn-frozen) it is 0.2 %, 5.00 ms at the longest, and p99 is"
        " 12.0 ms instead of 87.0 ms."
    )


@pytest.mark.parametrize(
    "cells",
    [
        paused(B, 0.01, longest_ms=75.0, p99_ms=10.0),
        paused(B, 0.0, longest_ms=0.0, every=None, p99_ms=10.0),
        paused(B, 0.01, longest_ms=5.0, p99_ms=10.0),
    ],
    ids=["no percentile contains them", "there was none", "short"],
)
def test_pauses_that_nobody_feels_are_left_to_the_tables(cells: tuple[Cell, ...]) -> None:
    assert said(*cells) == ""


def test_a_long_pause_within_a_percentile_matters_however_rare() -> None:
    assert "1 % of its CPU time" in said(*paused(B, 0.01, p99_ms=30.0))


def test_pauses_of_a_scenario_that_waits_are_not_told() -> None:
    assert said(*paused(B, 0.081), waiting=("ping",)) == ""


def test_the_frozen_contestants_are_in_the_catalog() -> None:
    known = Catalog(CATALOG).contestants

    assert {*FROZEN, *FROZEN.values()} <= {*known}


def test_a_cost_and_its_parts_stand_in_one_table_and_what_is_not_told_is_not_measured() -> None:
    untold = Cell(
        "ping", A, "pause_us_per_request", "µs", None, None, None, 0, 0, reasons=("pauses not measured",)
    )
    summary: Summary = summary_of(cells=(*paused(B, 0.081), untold))

    table = figure_tables(summary)[0]

    assert table.columns[1:] == (
        "CPU time per request (µs)",
        "CPU time of pauses per request (µs)",
        "longest pause (ms)",
        "requests between pauses (requests)",
    )
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}
    assert rows == {B: ["100", "8.10", "75.0", "1,400"], A: ["—", "—", "—", "—"]}
    assert table.notes == ("pauses not measured",)
