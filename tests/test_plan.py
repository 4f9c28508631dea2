"""Plans: which slices, in which order, with which seeds."""

from collections import Counter, defaultdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.contestants import Contestant
from loadtests.plan import Claim, Plan, Profile, Slice, base_name, make_plan, open_rates
from loadtests.scenarios import RequestTemplate, Scenario

PROFILE = Profile(
    name="test",
    title="a test",
    budget_s=60,
    max_rounds=5,
    closed_blocks=8,
    open_blocks=2,
    warmup_ms=20,
    open_load=0.5,
    margin=0.03,
    steal_limit_percent=30,
    twins=("fast", "absent"),
)
RATES = {"ping": 500.0, "read": 200.0}


def contestant(name: str, scenarios: tuple[str, ...] | None = None) -> Contestant:
    return Contestant(name, name, "raw", "wsgi", ("serve", "{port}"), {}, True, scenarios, False)


def scenario(name: str, open_slice_ms: int | None = 250, slice_ms: int = 100) -> Scenario:
    template = RequestTemplate(1, "GET", "/", None, 200, ())
    return Scenario(name, name, "Why?", (template,), 16, slice_ms, open_slice_ms)


def plan(seed: int = 1) -> Plan:
    return make_plan(
        PROFILE,
        seed,
        [contestant("fast"), contestant("slow"), contestant("floor", ("ping",))],
        [scenario("ping"), scenario("read"), scenario("wait", open_slice_ms=None, slice_ms=500)],
        [Claim("fast", "slow", "a pair"), Claim("fast", "elsewhere", "not in the run")],
    )


def blocks(slices: tuple[Slice, ...]) -> dict[tuple[str, str, int], list[Slice]]:
    grouped: dict[tuple[str, str, int], list[Slice]] = defaultdict(list)
    for piece in slices:
        grouped[piece.scenario, piece.mode, piece.block].append(piece)
    return grouped


def test_claims_on_contestants_that_are_not_in_the_run_are_dropped() -> None:
    assert plan().claims == (Claim("fast", "slow", "a pair"),)


def test_each_contestant_answers_its_scenarios_and_twins_answer_ping_only() -> None:
    assert plan().answers == {
        "ping": ("fast", "slow", "floor", "fast#2"),
        "read": ("fast", "slow"),
        "wait": ("fast", "slow"),
    }


def test_every_block_holds_one_slice_of_each_contestant_side_by_side() -> None:
    slices = plan().round(1, RATES).slices
    for (name, _, _), own in blocks(slices).items():
        places = sorted(piece.index for piece in own)

        assert sorted(piece.contestant for piece in own) == sorted(plan().answers[name])
        assert places == list(range(places[0], places[0] + len(own)))


def test_slices_are_numbered_in_the_order_in_which_they_are_run() -> None:
    slices = plan().round(3, RATES).slices

    assert [piece.index for piece in slices] == list(range(len(slices)))


def test_round_0_has_closed_slices_only_and_later_ones_have_open_slices_at_the_given_rates() -> None:
    calibrating, later = plan().round(0, None), plan().round(1, RATES)

    assert {piece.mode for piece in calibrating.slices} == {"closed"}
    assert {(piece.scenario, piece.rate_rps) for piece in later.slices if piece.mode == "open"} == set(
        RATES.items()
    )
    assert all(piece.rate_rps is None for piece in later.slices if piece.mode == "closed")


def test_a_scenario_without_a_rate_has_no_open_slices() -> None:
    slices = plan().round(1, {"ping": 10.0}).slices

    assert {piece.scenario for piece in slices if piece.mode == "open"} == {"ping"}


def test_a_closed_only_scenario_gets_a_quarter_of_the_blocks() -> None:
    counts = Counter((name, mode) for name, mode, _ in blocks(plan().round(1, RATES).slices))

    assert counts == {
        ("ping", "closed"): 8,
        ("ping", "open"): 2,
        ("read", "closed"): 8,
        ("read", "open"): 2,
        ("wait", "closed"): 2,
    }


def test_all_contestants_of_a_block_have_one_seed_and_other_blocks_have_others() -> None:
    seeds = [{piece.seed for piece in own} for own in blocks(plan().round(1, RATES).slices).values()]

    assert all(len(own) == 1 for own in seeds)
    assert len(set.union(*seeds)) == len(seeds)


def test_a_block_has_the_same_seed_whatever_else_is_run() -> None:
    alone = make_plan(PROFILE, 1, [contestant("slow")], [scenario("read")], [])
    seeds = {key: own[0].seed for key, own in blocks(plan().round(1, RATES).slices).items()}

    assert all(own[0].seed == seeds[key] for key, own in blocks(alone.round(1, RATES).slices).items())


def test_the_same_seed_gives_the_same_round_again() -> None:
    assert plan(seed=7).round(2, RATES) == plan(seed=7).round(2, RATES)


def test_another_seed_and_another_round_give_another_order() -> None:
    def order(seed: int, index: int) -> list[str]:
        return [
            f"{one.scenario}/{one.mode}/{one.contestant}" for one in plan(seed).round(index, RATES).slices
        ]

    assert len({tuple(order(seed, index)) for seed in (1, 2) for index in (1, 2)}) == 4


def test_blocks_of_different_scenarios_are_interleaved() -> None:
    names = [piece.scenario for piece in plan().round(1, RATES).slices]
    changes = sum(before != after for before, after in pairwise(names))

    assert changes > 2 * len(set(names))


def test_no_contestant_goes_first_in_every_block() -> None:
    rounds = [plan().round(index, RATES) for index in range(1, 6)]
    firsts = Counter(own[0].contestant for one in rounds for own in blocks(one.slices).values())

    assert min(firsts["fast"], firsts["slow"]) > 0.2 * firsts.total()


def test_contestants_are_launched_in_the_order_of_their_first_slices() -> None:
    round_ = plan().round(1, RATES)

    assert round_.contestants[0] == round_.slices[0].contestant
    assert sorted(round_.contestants) == ["fast", "fast#2", "floor", "slow"]


def test_the_load_of_a_round_is_the_sum_of_its_slices_and_warm_ups() -> None:
    alone = make_plan(PROFILE, 1, [contestant("slow")], [scenario("read")], [])

    assert alone.round(1, RATES).load_s == pytest.approx(8 * (0.1 + 0.02) + 2 * (0.25 + 0.02))


def test_open_rates_are_half_of_the_slowest_contestants_throughput() -> None:
    rates = open_rates({"ping": {"fast": 4000.0, "slow": 1000.0}, "read": {"fast": 300.0}}, PROFILE)

    assert rates == {"ping": 500.0, "read": 150.0}


def test_a_contestant_that_answered_nothing_sets_no_rate() -> None:
    assert open_rates({"ping": {"fast": 400.0, "dead": 0.0}, "read": {"dead": 0.0}}, PROFILE) == {
        "ping": 200.0
    }


def test_a_twin_is_known_by_its_base_name() -> None:
    assert base_name("flask-gthread#2") == "flask-gthread"
    assert base_name("flask-gthread") == "flask-gthread"


@given(st.integers(0, 2**31), st.integers(0, 300))
def test_seeds_fit_into_32_bits_for_any_seed_and_round(seed: int, index: int) -> None:
    assert all(0 <= piece.seed < 2**32 for piece in plan(seed).round(index, RATES).slices)
