"""When a run ends and what its next round holds, as the story of a run decides it."""

from collections import Counter
from dataclasses import replace

from loadtests.bench.run import is_over, next_round, plan_of
from loadtests.config.selection import Wishes, select
from loadtests.plan import budget
from loadtests.plan.budget import MIN_ROUNDS
from loadtests.plan.rounds import Round
from loadtests.runs.folder import Run

BUDGET_S = 600.0
WISHES = Wishes(
    contestants=("flask-gthread", "fastapi-uvicorn"), scenarios=("item-read", "shop"), budget_s=BUDGET_S
)
RUN = Run("a-run", WISHES, "2025-01-01T00:00:00+00:00", rates={"item-read": 100.0, "shop": 100.0})
PRECISE = replace(RUN, wishes=replace(WISHES, precision=0.02))
PLAN = plan_of(RUN, select(WISHES))
NARROW = {"item-read": 0.01, "shop": 0.02}
WIDE = {"item-read": 0.01, "shop": 0.08}


def blocks(round_: Round) -> Counter[str]:
    return Counter(piece.scenario for piece in round_.slices)


def test_without_a_precision_a_run_ends_by_time_alone() -> None:
    assert not is_over(PLAN, RUN, MIN_ROUNDS, NARROW, elapsed_s=100, longest_s=50)
    assert is_over(PLAN, RUN, 1, WIDE, elapsed_s=560, longest_s=50)


def test_the_first_round_is_always_played() -> None:
    assert not is_over(PLAN, RUN, 0, {}, elapsed_s=9999, longest_s=0)


def test_no_run_has_more_rounds_than_its_profile_allows() -> None:
    assert is_over(PLAN, RUN, PLAN.profile.max_rounds, {}, elapsed_s=1, longest_s=1)


def test_with_a_precision_a_run_ends_when_it_is_reached() -> None:
    assert is_over(PLAN, PRECISE, MIN_ROUNDS, NARROW, elapsed_s=100, longest_s=50)
    assert not is_over(PLAN, PRECISE, MIN_ROUNDS, WIDE, elapsed_s=100, longest_s=50)
    assert not is_over(PLAN, PRECISE, MIN_ROUNDS - 1, NARROW, elapsed_s=100, longest_s=50)


def test_with_a_precision_the_budget_still_ends_it() -> None:
    assert is_over(PLAN, PRECISE, MIN_ROUNDS, WIDE, elapsed_s=560, longest_s=50)


def test_with_a_precision_the_next_round_holds_more_of_what_is_wide_and_none_of_what_is_narrow() -> None:
    usual, moved = next_round(PLAN, RUN, 9, WIDE), next_round(PLAN, PRECISE, 9, WIDE)

    assert set(blocks(usual)) == {"item-read", "shop"}
    assert set(blocks(moved)) == {"shop"}
    assert blocks(moved)["shop"] == 2 * blocks(usual)["shop"]


def test_with_a_precision_rounds_are_short_enough_to_steer_by() -> None:
    usual, precise = PLAN, plan_of(PRECISE, select(PRECISE.wishes))

    assert budget.round_s(precise) * budget.ROUNDS_PRECISE <= BUDGET_S
    assert precise.profile.closed_blocks < usual.profile.closed_blocks


def test_the_same_samples_give_the_same_next_round() -> None:
    assert next_round(PLAN, PRECISE, 9, WIDE) == next_round(PLAN, PRECISE, 9, dict(WIDE))
