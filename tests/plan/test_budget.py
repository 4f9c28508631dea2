"""How a run's time is spent: many rounds, each as large as its launches are worth."""

from dataclasses import replace

import pytest

from loadtests.config.selection import Options, select
from loadtests.plan import budget
from loadtests.plan.plan import Plan
from loadtests.plan.sizes import Sizes

CHOSEN = select(Options())
NAMES = [one.name for one in CHOSEN.scenarios]
PAIR = ("flask-gthread", "fastapi-uvicorn")


def fitted(
    budget_s: float = 285.0,
    contestants: tuple[str, ...] = (),
    scenarios: int = 6,
    twins: tuple[str, ...] = (),
) -> Plan:
    """The plan of the catalog's first scenarios."""
    chosen = [one for one in CHOSEN.contestants if not contestants or one.name in contestants]
    profile = replace(CHOSEN.profile, budget_s=budget_s, twins=twins)
    return budget.fitted(profile, 0, chosen, CHOSEN.scenarios[:scenarios], CHOSEN.claims)


@pytest.mark.parametrize("budget_s", [285.0, 1800.0, 7200.0])
@pytest.mark.parametrize("contestants", [(), PAIR])
def test_as_many_rounds_as_an_interval_needs_fit_into_the_budget(
    budget_s: float, contestants: tuple[str, ...]
) -> None:
    plan = fitted(budget_s, contestants)

    rounds_s = budget.rounds_wanted(budget_s) * budget.round_s(plan)
    assert rounds_s + budget.REPORT_S <= budget_s * 1.001


@pytest.mark.parametrize(("budget_s", "rounds"), [(60.0, 8), (300.0, 8), (600.0, 22), (7200.0, 22)])
def test_longer_runs_get_more_rounds(budget_s: float, rounds: int) -> None:
    assert budget.rounds_wanted(budget_s) == rounds


def test_most_of_the_time_is_load() -> None:
    plan = fitted(280.0, twins=PAIR)
    pieces = plan.round(1, Sizes(dict.fromkeys(NAMES, 1), dict.fromkeys(NAMES, 1.0))).slices
    idle_s = budget.LAUNCH_S + budget.LAUNCH_EACH_S * len(plan.launched) + budget.GAP_S * len(pieces)

    assert idle_s / budget.round_s(plan) < 0.33


def test_one_block_more_would_take_the_open_loops_time() -> None:
    plan = fitted(1800.0)
    larger = replace(plan, blocks=plan.blocks + 1, open_s=plan.open_s)

    assert 1 < plan.blocks < budget.BLOCKS_MAX
    assert 22 * budget.round_s(larger) + budget.REPORT_S > 1700


def test_fewer_contestants_get_larger_rounds() -> None:
    assert fitted(contestants=PAIR, twins=()).blocks > fitted(twins=PAIR).blocks


def test_fewer_scenarios_get_larger_rounds() -> None:
    assert fitted(scenarios=1).blocks > fitted(scenarios=6).blocks


def test_a_small_budget_gets_smaller_rounds() -> None:
    blocks = [fitted(budget_s, PAIR).blocks for budget_s in (60.0, 190.0, 285.0)]

    assert blocks == sorted(set(blocks))


@pytest.mark.parametrize("budget_s", [0.5, 5.0, 20.0])
def test_a_budget_for_nothing_still_plans_the_smallest_round(budget_s: float) -> None:
    plan = fitted(budget_s)

    assert (plan.blocks, plan.open_s) == (1, 1.0)


def test_a_round_never_grows_without_end() -> None:
    plan = fitted(10**6, PAIR, scenarios=1)

    assert (plan.blocks, plan.open_s) == (budget.BLOCKS_MAX, budget.OPEN_S_MAX)


def test_open_slices_are_a_second_at_least_and_get_their_share_of_the_time() -> None:
    plan = fitted(1800.0, PAIR)

    pieces = plan.round(1, Sizes(dict.fromkeys(NAMES, 1), dict.fromkeys(NAMES, 1.0))).slices
    (opened,) = {one.duration_s for one in pieces if one.mode == "open"}
    assert opened == plan.open_s > 1.0
    load_s = {mode: sum(one.duration_s for one in pieces if one.mode == mode) for mode in ("closed", "open")}
    share = load_s["open"] / (load_s["open"] + budget.AS_SLOW_AS * load_s["closed"])
    assert share == pytest.approx(plan.profile.open_share, abs=0.15)


def test_the_same_wishes_give_the_same_plan() -> None:
    assert fitted() == fitted()


def test_a_round_takes_its_launches_its_warm_ups_its_load_and_the_gaps() -> None:
    plan = fitted(contestants=("flask-gthread",), scenarios=1)
    round_ = plan.round(1, Sizes({"ping": 1}, {"ping": 1.0}))

    closed = [one for one in round_.slices if one.mode == "closed"]
    load_s = budget.AS_SLOW_AS * sum(one.duration_s for one in closed) + plan.open_s
    launches_s = budget.LAUNCH_S + budget.LAUNCH_EACH_S + plan.profile.warmup_ms / 1000
    gaps_s = len(closed) * budget.GAP_S + budget.open_gap_s(plan)
    assert budget.round_s(plan) == pytest.approx(launches_s + load_s + gaps_s)


def test_another_round_fits_when_it_leaves_time_for_the_report() -> None:
    assert budget.another_fits(100, elapsed_s=75, longest_round_s=20)
    assert not budget.another_fits(100, elapsed_s=75.1, longest_round_s=20)


def test_the_stopping_rule_names_rounds_and_seconds() -> None:
    rule = budget.stop_rule(replace(CHOSEN.profile, max_rounds=20, budget_s=285), precision=None)

    assert "20 rounds" in rule
    assert "285 s" in rule
    assert "results are not looked at" in rule


def test_with_a_precision_the_rule_names_it_and_says_that_it_looks_at_widths_alone() -> None:
    rule = budget.stop_rule(CHOSEN.profile, precision=0.025)

    assert "2.5 %" in rule
    assert "only widths" in rule
    assert "no result" not in rule
