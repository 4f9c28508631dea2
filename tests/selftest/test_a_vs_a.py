"""A server against itself: judged as a run would judge it, and failed where equals differ too often."""

from dataclasses import replace

import pytest

from loadtests.config.catalog import Catalog
from loadtests.config.contestants import twin, twin_name
from loadtests.config.selection import CATALOG
from loadtests.runs.paired_study import closed_plan
from loadtests.selftest import a_vs_a
from loadtests.selftest.setting import headliners
from tests.support.frames import Piece, digested, samples_of

ONE, OTHER = headliners(Catalog(CATALOG))
EQUAL = a_vs_a.Row("a", "ping", "cpu_us_per_request", 1, 1.0, 0.99, 1.01, "equivalent", better=False)
WON = replace(EQUAL, finding="b_slightly_better", better=True)


@pytest.mark.parametrize(("winners", "ok"), [(2, True), (9, False)])
def test_too_many_winners_among_equals_fail_the_check(winners: int, ok: bool) -> None:
    rows = [replace(WON if number < winners else EQUAL, repeat=number) for number in range(60)]

    found = a_vs_a.judged(rows)

    assert found.ok == ok
    assert f"{winners} of 60" in found.summary


def test_several_winners_of_one_repeat_count_once() -> None:
    rows = [replace(WON, scenario=name) for name in a_vs_a.SCENARIOS] + [replace(EQUAL, repeat=2)]

    assert "1 of 2 (" in a_vs_a.judged(rows).summary


def test_a_winner_that_is_right_in_size_but_always_on_one_side_is_bias() -> None:
    ratios = (1.018, 1.02, 1.022, 1.02)
    biased = [replace(EQUAL, repeat=number, ratio=ratio) for number, ratio in enumerate(ratios)]
    balanced = [replace(one, ratio=one.ratio if one.repeat % 2 else 1 / (one.ratio or 1)) for one in biased]

    assert not a_vs_a.judged(biased).ok
    assert "CPU of a against itself +2.00 % (95 % interval +1.74 to +2.26 %)" in a_vs_a.judged(biased).summary
    assert a_vs_a.judged(balanced).ok


def test_what_a_gate_found_invalid_is_left_out() -> None:
    invalid = replace(EQUAL, ratio=2.0, finding="invalid")

    assert a_vs_a.judged([invalid]).ok is None
    assert a_vs_a.judged([invalid, EQUAL]).summary.endswith("1 of 2 comparisons invalid")


@pytest.mark.parametrize(("factor", "better"), [(1.0, False), (1.1, True)])
def test_a_repeat_is_judged_as_the_primary_family_of_a_run(factor: float, better: bool) -> None:
    servers = [launch for one in (ONE, OTHER) for launch in (one, twin(one))]
    plan = closed_plan(servers, 2, scenarios=a_vs_a.SCENARIOS)
    pieces = [
        Piece(
            server.name,
            scenario=scenario,
            round=number,
            block=block,
            service_ms=cost / 100,
            cpu_us=cost,
        )
        for number, wobble in enumerate((0.99, 1.0, 1.01, 1.0, 0.995, 1.005))
        for scenario in a_vs_a.SCENARIOS
        for block in range(2)
        for server in servers
        for cost in [100 * wobble * (factor if server.name == twin_name(ONE.name) else 1.0)]
    ]

    rows = a_vs_a.rows_of(digested(samples_of(*pieces)), plan, ONE, 1)

    assert len(rows) == 2 * len(a_vs_a.SCENARIOS)
    assert {(one.better, one.note) for one in rows} == {(better, rows[0].note)}
    assert all(one.finding == ("a_better" if better else "equivalent") for one in rows)
