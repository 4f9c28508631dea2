"""The plan: everything that is drawn comes from the seed, and blocks hold pairs."""

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.config.profiles import Arrivals
from loadtests.config.scenarios import WRITES
from loadtests.config.selection import Options, select
from loadtests.plan.plan import CURVE_LOADS, Plan, make_plan
from loadtests.plan.rounds import Round, Slice, named
from loadtests.plan.sizes import Sizes

CONTESTANTS = ("flask-sync", "flask-gthread", "fastapi-uvicorn", "raw-wsgi-gthread", "raw-asgi-uvicorn")
NAMES = ("ping", "item-read", "item-list", "order-create", "echo", "sleep-50ms", "shop", "create-batch")
CHOSEN = select(Options(contestants=CONTESTANTS, scenarios=NAMES))
PROFILE = replace(CHOSEN.profile, open_scenarios=(), twins=("flask-gthread", "fastapi-uvicorn"))
FLOORS = {one.name for one in CHOSEN.contestants if one.framework == "raw"}
SCENARIOS = {one.name: one for one in CHOSEN.scenarios}
RATES = Sizes(dict.fromkeys(NAMES, 600), dict.fromkeys(NAMES, 500.0))
CURVE = replace(RATES, own_rps={"shop": {"flask-gthread": 1000.0, "fastapi-uvicorn": 2000.0}})


def plan_of(seed: int = 7, contestants: tuple[str, ...] = ()) -> Plan:
    """A plan of the catalog's scenarios and claims."""
    chosen = [one for one in CHOSEN.contestants if not contestants or one.name in contestants]
    return replace(make_plan(PROFILE, seed, chosen, CHOSEN.scenarios, CHOSEN.claims), blocks=4)


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
        assert len({(one.seed, one.rate_rps, one.duration_s, one.requests) for one in pieces}) == 1


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

    first = Counter(block[0].contestant for block in blocks)

    assert set(first) == {*plan.launched}
    assert all(0.21 < count / first.total() < 0.29 for count in first.values())


def test_a_contestants_seed_does_not_depend_on_who_else_runs() -> None:
    alone = plan_of(contestants=("flask-gthread",)).round(3, None)
    together = plan_of().round(3, None)

    assert {piece.seed for piece in alone.slices} == {piece.seed for piece in together.slices}


def test_floors_are_asked_for_ping_only_and_twins_for_whatever_their_originals_are() -> None:
    pieces = plan_of().round(1, RATES).slices
    asked = {name: {one.scenario for one in pieces if one.contestant == name} for name in plan_of().launched}

    assert all(asked[name] == {"ping"} for name in FLOORS)
    assert asked["flask-gthread#2"] == asked["flask-gthread"] == {*NAMES}
    assert asked["fastapi-uvicorn#2"] == asked["fastapi-uvicorn"] == {*NAMES}


@given(st.integers(0, 2**32))
def test_the_slices_of_a_scenario_follow_each_other(seed: int) -> None:
    """Pauses then come as in a steady load, and what a scenario leaves behind meets no other by chance."""
    scenarios = [one.scenario for one in plan_of(seed).round(1, RATES).slices]

    assert sum(one != other for one, other in pairwise(scenarios)) == len(NAMES) - 1


@given(st.integers(0, 2**32))
def test_whatever_is_compared_has_the_same_history(seed: int) -> None:
    """Floors answer ping alone, so it comes first; lists come before the scenarios that change tables, items last."""
    order = [*dict.fromkeys(one.scenario for one in plan_of(seed).round(1, RATES).slices)]

    assert order[0] == "ping"
    stages = [WRITES.index(SCENARIOS[name].writes) for name in order]
    assert stages == sorted(stages)
    assert order[-1] == "create-batch"


def test_scenarios_have_the_same_order_in_every_round() -> None:
    orders = {
        tuple(dict.fromkeys(one.scenario for one in plan_of().round(index, RATES).slices))
        for index in range(9)
    }

    assert len(orders) == 1


def test_a_twin_of_a_contestant_that_is_not_in_the_run_is_not_launched() -> None:
    plan = plan_of(contestants=("flask-gthread", "flask-sync"))

    assert plan.answers["ping"] == ("flask-sync", "flask-gthread", "flask-gthread#2")


def test_the_first_round_is_a_trial_of_closed_slices_sized_by_a_longer_warm_up() -> None:
    trial, later = plan_of().round(0, None), plan_of().round(1, RATES)

    assert trial.is_trial
    assert {(one.mode, one.requests, one.rate_rps) for one in trial.slices} == {("closed", None, None)}
    assert trial.warmup_s == 3 * later.warmup_s > 0


def test_what_the_first_round_measured_fixes_the_sizes_of_all_others() -> None:
    sizes = plan_of().sizes(
        {
            "ping": {"flask-gthread": 4000.0, "fastapi-uvicorn": 8000.0, "raw-asgi-uvicorn": 0.0},
            "item-list": {"flask-gthread": 500.0, "fastapi-uvicorn": 450.0},
            "sleep-50ms": {"flask-gthread": 160.0},
            "echo": {"flask-gthread": 0.0},
        }
    )

    assert sizes.requests == {"ping": 600, "item-list": 66, "sleep-50ms": 80, "echo": 32}
    assert sizes.rates == {"ping": 2000.0, "item-list": 225.0}
    assert sizes.own_rps == {}


def test_later_rounds_have_the_sizes_that_the_first_has_fixed() -> None:
    round_ = plan_of().round(1, replace(RATES, requests={**RATES.requests, "shop": 150}))

    assert not round_.is_trial
    requests = {(one.scenario, one.requests) for one in round_.slices if one.mode == "closed"}
    assert requests == {(name, 150 if name == "shop" else 600) for name in NAMES}
    opened = {(one.scenario, one.rate_rps, one.requests) for one in round_.slices if one.mode == "open"}
    assert ("shop", 500.0, 500) in opened
    assert ("item-list", 500.0, 498) in opened  # whole cycles of its mix of six


def test_open_slices_come_at_the_scenarios_rate_where_it_has_one() -> None:
    pieces = plan_of().round(1, replace(RATES, rates={"ping": 800.0})).slices

    opened = [piece for piece in pieces if piece.mode == "open"]
    assert {(piece.scenario, piece.rate_rps) for piece in opened} == {("ping", 800.0)}


def test_a_profile_may_give_an_open_loop_to_some_scenarios_only() -> None:
    def opened(*wanted: str) -> set[str]:
        plan = replace(plan_of(), profile=replace(PROFILE, open_scenarios=wanted))
        return {one.scenario for one in plan.round(1, RATES).slices if one.mode == "open"}

    assert opened("item-read", "shop") == {"item-read", "shop"}
    assert opened("ws-echo") == {*NAMES} - {"sleep-50ms"}  # none of them is in the run


def test_a_curve_loads_the_headline_pair_at_shares_of_each_servers_own_throughput() -> None:
    curve = [one for one in plan_of().round(3, CURVE).slices if one.mode == "curve"]

    rates = {(one.contestant, one.load): one.rate_rps for one in curve}
    assert {load for _, load in rates} == {*CURVE_LOADS}
    assert rates["flask-gthread", 0.8] == pytest.approx(800)
    assert rates["fastapi-uvicorn", 0.8] == pytest.approx(1600)
    assert {one.scenario for one in curve} == {"shop"}
    assert {name.removesuffix("#2") for name, _ in rates} == {"flask-gthread", "fastapi-uvicorn"}


def test_a_curve_comes_after_all_comparisons_but_those_that_add_items() -> None:
    """Few servers have one: those that have not must not differ in their history when they are compared."""
    pieces = plan_of().round(3, CURVE).slices
    first = next(one.index for one in pieces if one.mode == "curve")

    assert {one.scenario for one in pieces[first:] if one.mode != "curve"} == {"create-batch"}


def test_a_scenario_has_as_many_blocks_as_plan_and_catalog_say_and_one_open_slice_where_slices_are_short() -> (
    None
):
    counts = Counter((scenario, mode) for scenario, mode, _ in blocks_of(plan_of().round(1, RATES)))

    assert (counts["item-read", "closed"], counts["item-read", "open"]) == (4, 1)
    assert (counts["ping", "closed"], counts["ping", "open"]) == (2, 1)
    assert (counts["sleep-50ms", "closed"], counts["sleep-50ms", "open"]) == (1, 0)


def test_a_scenario_by_itself_has_as_many_blocks_as_the_plan_says() -> None:
    plan = plan_of()
    ping = replace(plan, scenarios=plan.scenarios[:1])

    assert [one.name for one in ping.scenarios] == ["ping"]
    assert sum(mode == "closed" for _, mode, _ in blocks_of(ping.round(1, RATES))) == plan.blocks


def test_claims_on_contestants_that_are_not_in_the_run_are_dropped() -> None:
    pair = plan_of(contestants=("flask-gthread", "fastapi-uvicorn"))

    assert [(claim.a, claim.b) for claim in pair.claims] == [("flask-gthread", "fastapi-uvicorn")]
    assert plan_of(contestants=("flask-sync",)).claims == ()


def test_a_round_is_launched_in_the_order_of_its_first_slices() -> None:
    round_ = plan_of().round(1, RATES)

    assert round_.contestants[0] == round_.slices[0].contestant
    assert set(round_.contestants) == {piece.contestant for piece in round_.slices}
    assert len(round_.contestants) == len(set(round_.contestants))


def test_a_twin_is_launched_as_its_original_is_and_says_whose_it_is() -> None:
    plan = plan_of(contestants=("flask-gthread",))

    twin, original = named(["flask-gthread#2", "flask-gthread"], plan.contestants)

    assert (twin.twin_of, original.twin_of) == ("flask-gthread", None)
    assert replace(twin, name=original.name, twin_of=None) == original


def test_weights_give_a_scenario_more_blocks_fewer_or_none() -> None:
    round_ = plan_of().round(1, RATES, {"ping": 2.0, "shop": 0.2, "echo": 0})

    counted = Counter((scenario, mode) for scenario, mode, _ in blocks_of(round_))
    assert (counted["ping", "closed"], counted["ping", "open"]) == (5, 2)
    assert (counted["shop", "closed"], counted["shop", "open"]) == (1, 1)
    assert (counted["item-read", "closed"], counted["item-read", "open"]) == (4, 1)
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
