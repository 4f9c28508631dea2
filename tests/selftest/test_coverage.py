"""How often intervals have to hold the truth in simulated runs, and that these are as noisy as what was measured."""

from dataclasses import replace

import numpy as np
import pytest

from loadtests.analysis.costs import Costs
from loadtests.analysis.simulate import NoiseModel
from loadtests.analysis.simulate_pauses import Server, drawn_slices
from loadtests.config.contestants import twin_name
from loadtests.selftest import coverage
from loadtests.selftest.a_vs_a import SCENARIOS
from tests.support.costs import costs_of, launch_of

ROW = coverage.Row("ping", 8, 2, 95.0, "a: noisy", "b: less so")
ROUNDS, BLOCKS, REQUESTS = 150, 2, 20


def test_coverage_outside_its_limits_fails_the_check() -> None:
    assert coverage.judged([ROW]).ok
    assert not coverage.judged([ROW, replace(ROW, coverage_percent=92.9)]).ok
    assert coverage.judged([]).ok is None


def measured(server: Server) -> Costs:
    """What rounds of two launches of the server, "a", and of one that never varies, "b", cost in all scenarios."""
    steady = Server(100.0, 0.0, 1.0, NoiseModel(0.0, 0.0))
    rng, blocks = np.random.default_rng(1), BLOCKS * len(SCENARIOS)
    return costs_of(
        {
            (scenario, launched): launch_of(drawn, launch, slice(place * BLOCKS, (place + 1) * BLOCKS))
            for name, one in (("a", server), ("b", steady))
            for drawn in [drawn_slices(rng, one, 1, ROUNDS, 2, blocks, REQUESTS)]
            for launch, launched in enumerate((name, twin_name(name)))
            for place, scenario in enumerate(SCENARIOS)
        }
    )


def test_noise_pauses_and_groups_of_launches_are_found_again() -> None:
    noise = NoiseModel(launch=0.015, block=0.03)
    truth = Server(cost=100.0, pause=10_000.0, period=100.0, noise=noise, share=0.25, extra=0.08)

    costs = measured(truth)
    found = coverage.servers(costs, "a", "b")

    for one in found.values():
        assert one.noise.launch == pytest.approx(0.015, abs=0.005)
        assert one.noise.block == pytest.approx(0.03, abs=0.006)
        assert one.share == pytest.approx(0.25, abs=0.06)
        assert one.extra == pytest.approx(0.08, abs=0.01)
        assert one.period == pytest.approx(100, rel=0.15)
        assert one.pause / one.period == pytest.approx(one.cost, rel=0.15)
    rows = coverage.rows_of(costs, "a", "b")
    assert [(one.scenario, one.rounds, one.blocks) for one in rows] == [
        (scenario, *size) for scenario in SCENARIOS for size in coverage.SIZES
    ]
    assert all(92 <= one.coverage_percent <= 98 for one in rows)


def test_a_servers_noise_is_told_in_words() -> None:
    calm = Server(100.0, 0.0, 1.0, NoiseModel(0.01, 0.02))
    other = Server(90.0, 14_000.0, 1400.0, NoiseModel(0.01, 0.02), share=0.2, extra=0.077)

    assert coverage.in_words(calm) == "launches 1.0 %, slices 2.0 %"
    assert coverage.in_words(other) == (
        "launches 1.0 %, slices 2.0 %; 20 % of the launches 8.0 % dearer; pauses 10.0 %, every 1400 requests"
    )


def test_what_does_not_pause_is_drawn_without_pauses() -> None:
    found = coverage.servers(measured(Server(100.0, 0.0, 1.0, NoiseModel(0.01, 0.02))), "a", "b")

    assert {one.pause for one in found.values()} == {0.0}
