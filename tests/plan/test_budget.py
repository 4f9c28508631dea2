"""How a run's time is spent: many rounds, each as large as its launches are worth."""

from dataclasses import replace

import pytest

from loadtests.config.selection import Options, select
from loadtests.plan import budget
from loadtests.plan.plan import Plan

CHOSEN = select(Options())
PAIR = ("flask-gthread", "fastapi-uvicorn")


def fitted(budget_s: float = 285.0, contestants: tuple[str, ...] = (), scenarios: int = 7) -> Plan:
    """The plan of the catalog's first scenarios."""
    chosen = [one for one in CHOSEN.contestants if not contestants or one.name in contestants]
    profile = replace(CHOSEN.profile, budget_s=budget_s, closed_blocks=4, open_blocks=1)
    return budget.fitted(profile, 0, chosen, CHOSEN.scenarios[:scenarios], CHOSEN.claims)


@pytest.mark.parametrize("budget_s", [285.0, 1800.0, 7200.0])
@pytest.mark.parametrize("contestants", [(), PAIR])
def test_as_many_rounds_as_an_interval_needs_fit_into_the_budget(
    budget_s: float, contestants: tuple[str, ...]
) -> None:
    plan = fitted(budget_s, contestants)

    rounds_s = budget.ROUNDS_WANTED * budget.round_s(plan)
    assert rounds_s + budget.REPORT_S <= budget_s or plan.profile.closed_blocks == 1


def test_one_block_more_would_not_fit() -> None:
    plan = fitted(1800.0)
    blocks = plan.profile.closed_blocks + 1
    larger = replace(plan.profile, closed_blocks=blocks, open_blocks=round(blocks / 4))

    assert 1 < plan.profile.closed_blocks < budget.BLOCKS_MAX
    assert budget.ROUNDS_WANTED * budget.round_s(replace(plan, profile=larger)) + budget.REPORT_S > 1800


def test_fewer_contestants_get_larger_rounds() -> None:
    assert fitted(contestants=PAIR).profile.closed_blocks > fitted().profile.closed_blocks


def test_fewer_scenarios_get_larger_rounds() -> None:
    assert fitted(scenarios=1).profile.closed_blocks > fitted(scenarios=7).profile.closed_blocks


def test_a_small_budget_gets_smaller_rounds() -> None:
    blocks = [fitted(budget_s, PAIR).profile.closed_blocks for budget_s in (60.0, 285.0, 1800.0)]

    assert blocks == sorted(set(blocks))


@pytest.mark.parametrize("budget_s", [0.5, 5.0, 20.0])
def test_a_budget_for_nothing_still_plans_the_smallest_round(budget_s: float) -> None:
    profile = fitted(budget_s).profile

    assert (profile.closed_blocks, profile.open_blocks) == (1, 1)


def test_a_round_never_grows_without_end() -> None:
    assert fitted(10**6, PAIR, scenarios=1).profile.closed_blocks == budget.BLOCKS_MAX


def test_open_blocks_keep_their_share() -> None:
    profile = fitted(10**6, PAIR, scenarios=1).profile

    assert profile.closed_blocks / profile.open_blocks == 4


def test_the_same_wishes_give_the_same_plan() -> None:
    assert fitted() == fitted()


def test_a_round_takes_its_launches_its_load_and_the_gaps() -> None:
    plan = fitted(contestants=("flask-sync",), scenarios=1)
    round_ = plan.round(1, {"ping": 1.0})

    launches_s = budget.LAUNCH_S + budget.LAUNCH_EACH_S
    assert budget.round_s(plan) == pytest.approx(
        launches_s + round_.load_s + len(round_.slices) * budget.GAP_S
    )


def test_another_round_fits_when_it_leaves_time_for_the_report() -> None:
    assert budget.another_fits(100, elapsed_s=72, longest_round_s=20)
    assert not budget.another_fits(100, elapsed_s=72.1, longest_round_s=20)


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
