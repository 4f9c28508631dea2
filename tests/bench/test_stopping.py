"""When a run ends and what its next round holds, as its record and the widths so far decide it."""

from collections import Counter
from dataclasses import replace

from loadtests.bench.record import BenchRun, plan_of
from loadtests.bench.run import is_over, round_after
from loadtests.config.selection import Options, select
from loadtests.plan import budget
from loadtests.plan.budget import MIN_ROUNDS
from loadtests.plan.rounds import Round

BUDGET_S = 600.0
OPTIONS = Options(
    contestants=("flask-gthread", "fastapi-uvicorn"), scenarios=("item-read", "shop"), budget_s=BUDGET_S
)


def run_of(options: Options, elapsed_s: float = 0.0) -> BenchRun:
    return BenchRun(
        id="a-run",
        started_at="2025-01-01T00:00:00+00:00",
        elapsed_s=elapsed_s,
        options=options,
        plan=plan_of(options, select(options)),
        rates={"item-read": 100.0, "shop": 100.0},
        requests={"item-read": 100, "shop": 100},
    )


RUN, PRECISE = run_of(OPTIONS), run_of(replace(OPTIONS, precision=0.02))
NARROW = {"item-read": 0.01, "shop": 0.02}
WIDE = {"item-read": 0.01, "shop": 0.08}


def blocks(round_: Round) -> Counter[str]:
    return Counter(piece.scenario for piece in round_.slices)


def test_without_a_precision_a_run_ends_by_time_alone() -> None:
    assert not is_over(replace(RUN, elapsed_s=100), MIN_ROUNDS, NARROW, longest_s=50)
    assert is_over(replace(RUN, elapsed_s=560), 1, WIDE, longest_s=50)


def test_the_first_round_is_always_measured() -> None:
    assert not is_over(replace(RUN, elapsed_s=9999), 0, {}, longest_s=0)


def test_no_run_has_more_rounds_than_its_profile_allows() -> None:
    assert is_over(replace(RUN, elapsed_s=1), RUN.plan.profile.max_rounds, {}, longest_s=1)


def test_with_a_precision_a_run_ends_when_it_is_reached() -> None:
    assert is_over(replace(PRECISE, elapsed_s=100), MIN_ROUNDS, NARROW, longest_s=50)
    assert not is_over(replace(PRECISE, elapsed_s=100), MIN_ROUNDS, WIDE, longest_s=50)
    assert not is_over(replace(PRECISE, elapsed_s=100), MIN_ROUNDS - 1, NARROW, longest_s=50)


def test_with_a_precision_the_budget_still_ends_it() -> None:
    assert is_over(replace(PRECISE, elapsed_s=560), MIN_ROUNDS, WIDE, longest_s=50)


def test_with_a_precision_the_next_round_holds_more_of_what_is_wide_and_none_of_what_is_narrow() -> None:
    usual = round_after(replace(RUN, plan=PRECISE.plan), 9, WIDE)
    moved = round_after(PRECISE, 9, WIDE)

    assert set(blocks(usual)) == {"item-read", "shop"}
    assert set(blocks(moved)) == {"shop"}
    assert blocks(moved)["shop"] == 2 * blocks(usual)["shop"]


def test_with_a_precision_rounds_are_short_enough_to_steer_by() -> None:
    usual, precise = RUN.plan, PRECISE.plan

    assert budget.round_s(precise) * budget.MANY_ROUNDS <= BUDGET_S
    assert precise.blocks == usual.blocks  # a longer run has as many rounds anyway
    short = run_of(replace(OPTIONS, budget_s=280.0))
    assert run_of(replace(PRECISE.options, budget_s=280.0)).plan.blocks < short.plan.blocks


def test_the_same_samples_give_the_same_next_round() -> None:
    assert round_after(PRECISE, 9, WIDE) == round_after(PRECISE, 9, dict(WIDE))
