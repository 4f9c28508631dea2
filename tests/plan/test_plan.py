"""The plan: everything that is drawn comes from the seed, and blocks hold pairs."""

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.config.profiles import Arrivals
from loadtests.config.selection import Options, select
from loadtests.plan.plan import Plan, make_plan, open_rates
from loadtests.plan.rounds import Round, Slice, named

CHOSEN = select(Options())
PROFILE = replace(CHOSEN.profile, closed_blocks=4, open_blocks=2, twins=("flask-gthread", "fastapi-uvicorn"))
FLOORS = {one.name for one in CHOSEN.contestants if one.framework == "raw"}
RATES = {scenario.name: 500.0 for scenario in CHOSEN.scenarios}


def plan_of(seed: int = 7, contestants: tuple[str, ...] = ()) -> Plan:
    """A plan of the catalog's scenarios and claims."""
    chosen = [one for one in CHOSEN.contestants if not contestants or one.name in contestants]
    return make_plan(PROFILE, seed, chosen, CHOSEN.scenarios, CHOSEN.claims)


def blocks_of(round_: Round) -> dict[tuple[str, str, int], list[Slice]]:
    blocks: dict[tuple[str, str, int], list[Slice]] = defaultdict(list)
    for piece in round_.slices:
        blocks[piece.scenario, piece.mode, piece.block].append(piece)
    return blocks


@given(st.integers(0, 2**32), st.integers(0, 300))
def test_the_same_seed_gives_the_same_rounds(seed: int, index: int) -> None:
    assert plan_of(seed).round(index, RATES) == plan_of(seed).round(index, RATES)


def test_another_seed_gives_the_same_slices_in_another_order() -> None:
    one, other = plan_of(1).round(1, RATES), plan_of(2).round(1, RATES)

    assert order_of(one) != order_of(other)
    assert sorted(order_of(one)) == sorted(order_of(other))


def test_another_round_has_another_order_and_other_seeds() -> None:
    first, second = plan_of().round(1, RATES), plan_of().round(2, RATES)

    assert order_of(first) != order_of(second)
    assert not {piece.seed for piece in first.slices} & {piece.seed for piece in second.slices}


def test_blocks_and_contestants_are_both_drawn() -> None:
    """Blocks of one scenario would otherwise all meet the same spell of noise."""
    first, second = plan_of().round(1, RATES), plan_of().round(2, RATES)

    assert list(blocks_of(first)) != list(blocks_of(second))
    assert turns(first) != turns(second)


def turns(round_: Round) -> dict[tuple[str, str, int], list[str]]:
    return {key: [piece.contestant for piece in pieces] for key, pieces in blocks_of(round_).items()}


def order_of(round_: Round) -> list[tuple[str, str, int, str]]:
    return [(piece.scenario, piece.mode, piece.block, piece.contestant) for piece in round_.slices]


@given(st.integers(0, 2**32))
def test_a_block_holds_every_answering_contestant_once_with_one_seed(seed: int) -> None:
    plan = plan_of(seed)

    for (scenario, _, _), pieces in blocks_of(plan.round(1, RATES)).items():
        assert sorted(piece.contestant for piece in pieces) == sorted(plan.answers[scenario])
        assert len({(piece.seed, piece.rate_rps, piece.duration_s) for piece in pieces}) == 1


def test_the_slices_of_a_block_are_run_one_after_the_other() -> None:
    for pieces in blocks_of(plan_of().round(1, RATES)).values():
        places = [piece.index for piece in pieces]
        assert places == list(range(places[0], places[0] + len(places)))


def test_no_two_blocks_share_a_seed() -> None:
    blocks = blocks_of(plan_of().round(1, RATES)).values()

    assert len({pieces[0].seed for pieces in blocks}) == len(blocks)


def test_every_contestant_has_its_turn_at_being_first() -> None:
    """Whoever goes first in a block meets a machine that another scenario has just left."""
    plan = plan_of(contestants=("flask-gthread", "fastapi-uvicorn"))
    blocks = [block for index in range(40) for block in blocks_of(plan.round(index, None)).values()]
    pairs = [block for block in blocks if len(block) == 2]

    first = Counter(block[0].contestant for block in pairs)

    assert 0.45 < first["flask-gthread"] / first.total() < 0.55


def test_a_contestants_seed_does_not_depend_on_who_else_runs() -> None:
    alone = plan_of(contestants=("flask-gthread",)).round(3, None)
    together = plan_of().round(3, None)

    assert {piece.seed for piece in alone.slices} == {piece.seed for piece in together.slices}


def test_floors_and_twins_are_asked_for_ping_only() -> None:
    pieces = plan_of().round(1, RATES).slices

    asked = {piece.contestant for piece in pieces if piece.scenario == "ping"}
    elsewhere = {piece.contestant for piece in pieces if piece.scenario != "ping"}

    twins = {"flask-gthread#2", "fastapi-uvicorn#2"}
    assert asked == {one.name for one in CHOSEN.contestants} | twins
    assert elsewhere == asked - twins - FLOORS


def test_a_twin_of_a_contestant_that_is_not_in_the_run_is_not_launched() -> None:
    plan = plan_of(contestants=("flask-gthread", "flask-sync"))

    assert plan.answers["ping"] == ("flask-sync", "flask-gthread", "flask-gthread#2")


def test_round_0_has_no_open_slices_because_their_rates_are_not_known() -> None:
    assert {piece.mode for piece in plan_of().round(0, None).slices} == {"closed"}


def test_open_slices_come_at_the_scenarios_rate_where_it_has_one() -> None:
    pieces = plan_of().round(1, {"ping": 800.0}).slices

    opened = [piece for piece in pieces if piece.mode == "open"]
    assert {(piece.scenario, piece.rate_rps) for piece in opened} == {("ping", 800.0)}


def test_closed_slices_have_no_rate() -> None:
    assert all(piece.rate_rps is None for piece in plan_of().round(0, None).slices)


def test_a_scenario_has_as_many_blocks_as_the_profile_says() -> None:
    counts = Counter((scenario, mode) for scenario, mode, _ in blocks_of(plan_of().round(1, RATES)))

    assert (counts["ping", "closed"], counts["ping", "open"]) == (4, 2)


def test_a_scenario_without_an_open_loop_has_a_quarter_of_the_blocks_and_never_an_open_one() -> None:
    counts = Counter((scenario, mode) for scenario, mode, _ in blocks_of(plan_of().round(1, RATES)))

    assert (counts["sleep-50ms", "closed"], counts["sleep-50ms", "open"]) == (1, 0)


def test_claims_on_contestants_that_are_not_in_the_run_are_dropped() -> None:
    pair = plan_of(contestants=("flask-gthread", "fastapi-uvicorn"))

    assert [(claim.a, claim.b) for claim in pair.claims] == [("flask-gthread", "fastapi-uvicorn")]
    assert plan_of(contestants=("flask-sync",)).claims == ()


def test_open_rates_are_a_share_of_the_slowest_that_answers_at_all() -> None:
    closed_rps = {"ping": {"fast": 9000.0, "slow": 3000.0, "dead": 0.0}, "shop": {"dead": 0.0}, "none": {}}

    assert open_rates(closed_rps, replace(PROFILE, open_load=0.5)) == {"ping": 1500.0}


def test_a_round_is_launched_in_the_order_of_its_first_slices() -> None:
    round_ = plan_of().round(1, RATES)

    assert round_.contestants[0] == round_.slices[0].contestant
    assert set(round_.contestants) == {piece.contestant for piece in round_.slices}
    assert len(round_.contestants) == len(set(round_.contestants))


def test_the_load_of_a_round_is_the_sum_of_its_slices() -> None:
    plan = plan_of(contestants=("flask-sync",))
    ping = replace(plan.scenarios[0], slice_ms=100, open_slice_ms=250)
    round_ = replace(plan, scenarios=(ping,)).round(1, RATES)

    assert round_.load_s == pytest.approx(4 * 0.12 + 2 * 0.27)


def test_a_twin_is_launched_as_its_original_is_and_says_whose_it_is() -> None:
    plan = plan_of(contestants=("flask-gthread",))

    twin, original = named(["flask-gthread#2", "flask-gthread"], plan.contestants)

    assert (twin.twin_of, original.twin_of) == ("flask-gthread", None)
    assert replace(twin, name=original.name, twin_of=None) == original


def test_weights_give_a_scenario_more_blocks_fewer_or_none() -> None:
    round_ = plan_of().round(1, RATES, {"ping": 2.0, "shop": 0.3, "echo": 0})

    counted = Counter((scenario, mode) for scenario, mode, _ in blocks_of(round_))
    assert (counted["ping", "closed"], counted["ping", "open"]) == (8, 4)
    assert (counted["shop", "closed"], counted["shop", "open"]) == (1, 1)
    assert (counted["item-read", "closed"], counted["item-read", "open"]) == (4, 2)
    assert "echo" not in {scenario for scenario, _ in counted}


def test_a_sequential_round_holds_the_same_slices_one_contestant_after_the_other() -> None:
    paired, sequential = plan_of().round(1, RATES), replace(plan_of(), design="sequential").round(1, RATES)

    names = [piece.contestant for piece in sequential.slices]
    changes = sum(one != other for one, other in pairwise(names))
    assert changes == len(set(names)) - 1
    assert sorted(order_of(sequential)) == sorted(order_of(paired))


def test_which_contestant_comes_first_in_a_sequential_round_is_drawn() -> None:
    plan = replace(plan_of(), design="sequential")

    assert len({plan.round(index, RATES).slices[0].contestant for index in range(8)}) > 1


@pytest.mark.parametrize("arrivals", ["poisson", "constant"])
def test_slices_know_how_their_arrivals_are_spaced(arrivals: Arrivals) -> None:
    plan = replace(plan_of(), profile=replace(PROFILE, arrivals=arrivals))

    assert {piece.arrivals for piece in plan.round(1, RATES).slices} == {arrivals}
