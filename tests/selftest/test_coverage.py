"""How often intervals have to hold the truth in simulated runs, and that these are as noisy as what was measured."""

from dataclasses import replace

import numpy as np
import pytest

from loadtests.analysis.costs import Costs, Slices, costs_in
from loadtests.analysis.simulate import NoiseModel
from loadtests.analysis.simulate_pauses import Server, drawn_slices
from loadtests.config.contestants import twin_name
from loadtests.selftest import coverage
from loadtests.selftest.a_vs_a import SCENARIOS
from tests.support.frames import Piece, digested, samples_of

ROW = coverage.Row("a", "ping", 1.0, 2.0, 0.0, 0.0, 0.0, None, 8, 2, coverage_percent=95.0)
ROUNDS, BLOCKS, REQUESTS = 150, 2, 20


def test_coverage_outside_its_limits_fails_the_check() -> None:
    assert coverage.judged([ROW]).ok
    assert not coverage.judged([ROW, replace(ROW, coverage_percent=92.9)]).ok
    assert coverage.judged([]).ok is None


def test_bimodal_launches_are_told() -> None:
    bimodal = replace(ROW, dearer_percent=20.0, extra_percent=8.3)

    assert "20 % of the launches of a cost 8.3 % more" in coverage.judged([ROW, bimodal]).summary


def measured(server: Server) -> Costs:
    """What rounds of two launches of the server, "a", and of one that never varies, "b", cost in all scenarios."""
    slices = drawn_slices(np.random.default_rng(1), server, 1, ROUNDS, 2, BLOCKS * len(SCENARIOS), REQUESTS)
    pieces = [
        piece
        for number in range(ROUNDS)
        for launch in range(2)
        for place in range(BLOCKS * len(SCENARIOS))
        for scenario in [SCENARIOS[place // BLOCKS]]
        for piece in (
            _piece(
                slices, (0, number, launch, place), ("a", twin_name("a"))[launch], scenario, place % BLOCKS
            ),
            Piece(
                ("b", twin_name("b"))[launch],
                scenario=scenario,
                round=number,
                block=place % BLOCKS,
                requests=REQUESTS,
            ),
        )
    ]
    return costs_in(digested(samples_of(*pieces)), {})


def _piece(slices: Slices, at: tuple[int, ...], name: str, scenario: str, block: int) -> Piece:
    cpu_us = float(slices.clean[at]) / REQUESTS
    pauses = int(slices.pause[at] > 0)
    return Piece(
        name,
        scenario=scenario,
        round=at[1],
        block=block,
        requests=REQUESTS,
        cpu_us=cpu_us,
        pauses=pauses,
        pause_ms=float(slices.pause[at]) / 1000 if pauses else 50.0,
    )


def test_noise_pauses_and_groups_of_launches_are_found_again() -> None:
    noise = NoiseModel(launch=0.015, block=0.03)
    truth = Server(cost=100.0, pause=10_000.0, period=100.0, noise=noise, share=0.25, extra=0.08)

    rows = coverage.rows_of(measured(truth), "a", "b")

    for row in rows:
        assert row.launch_percent == pytest.approx(1.5, abs=0.5)
        assert row.block_percent == pytest.approx(3.0, abs=0.6)
        assert row.dearer_percent == pytest.approx(25, abs=6)
        assert row.extra_percent == pytest.approx(8.3, abs=1)
        assert row.requests_between_pauses == pytest.approx(100, rel=0.15)
        assert row.pause_percent == pytest.approx(50, abs=4)
        assert 92 <= row.coverage_percent <= 98
    assert len(rows) == len(SCENARIOS) * len(coverage.SIZES)


def test_what_does_not_pause_is_drawn_without_pauses() -> None:
    rows = coverage.rows_of(measured(Server(100.0, 0.0, 1.0, NoiseModel(0.01, 0.02))), "a", "b")

    assert {(row.pause_percent, row.requests_between_pauses) for row in rows} == {(0.0, None)}
