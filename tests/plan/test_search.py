"""The search for a capacity, on servers that are made up: it must find what is known of them."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.plan.rounds import Round, Slice
from loadtests.plan.search import ENOUGH, OVERLOAD, RUNGS, Search, Step
from loadtests.plan.search_procedure import OngoingSearch
from loadtests.plan.search_slices import longest_s, turn
from loadtests.samples.outcome import ANSWERS_NEEDED, Outcome

SEARCH = Search("ping", "flask", slo_ms=50.0, seed=7, rule="two of three", pauses=3)
OLD = replace(SEARCH, rule="second try", pauses=0)
Server = Callable[[Step], Outcome]


def outcome(p99_ms: float | None, *, failed: int = 0, lag_ms: float = 0.1, rps: float = 0.0) -> Outcome:
    answered = ANSWERS_NEEDED if p99_ms is not None else 10
    return Outcome(answered, failed, rps, p99_ms, p99_ms, p99_ms, p99_ms, lag_ms, generator_percent=20.0)


def server_of(capacity_rps: float, throughput_rps: float = 1000.0) -> Server:
    """It is quick up to its capacity and slow beyond."""

    def serve(step: Step) -> Outcome:
        if step.rate_rps is None:
            return outcome(20.0, rps=throughput_rps)
        return outcome(5.0 if step.rate_rps <= capacity_rps else 500.0)

    return serve


def searched(server: Server, search: Search = SEARCH) -> OngoingSearch:
    ongoing = OngoingSearch(search)
    while ongoing.step is not None:
        ongoing.learn(server(ongoing.step))
    return ongoing


def found(ongoing: OngoingSearch) -> float | None:
    assert ongoing.result is not None
    return ongoing.result.capacity_rps


def reason(ongoing: OngoingSearch) -> str:
    assert ongoing.result is not None
    return ongoing.result.reason


@given(st.floats(60, 3000), st.floats(100, 20_000))
def test_a_known_capacity_is_found_to_the_resolution(capacity_rps: float, throughput_rps: float) -> None:
    share = capacity_rps / throughput_rps
    ongoing = searched(server_of(capacity_rps, throughput_rps))

    if 0.2 <= share < 2:
        assert found(ongoing) == pytest.approx(capacity_rps, rel=0.01)
    assert len(ongoing.trail) <= SEARCH.most_steps


def test_by_the_old_rule_it_is_the_highest_rate_that_passed() -> None:
    ongoing = searched(server_of(700.0), OLD)
    passed = {step.rate_rps or 0 for step, seen in ongoing.trail if step.role != "surge" and OLD.is_met(seen)}

    assert found(ongoing) == max(passed) == pytest.approx(700, rel=0.02)


@given(st.floats(60, 3000), st.integers(0, 2**32))
def test_whatever_a_noisy_server_does_the_search_ends_with_a_rate_that_passed_below_one_that_failed(
    capacity_rps: float, seed: int
) -> None:
    ongoing = searched(noisy(server_of(capacity_rps), np.random.default_rng(seed), 0.3))
    passed = {step.rate_rps for step, seen in ongoing.trail if SEARCH.is_met(seen)}
    failed = {step.rate_rps for step, seen in ongoing.trail if not SEARCH.is_met(seen)}

    assert ongoing.result is not None
    assert len(ongoing.trail) <= SEARCH.most_steps
    if ongoing.result.capacity_rps is None:
        assert ongoing.result.reason
    else:
        assert ongoing.result.passing_rps in passed
        assert ongoing.result.failing_rps in failed
        assert (ongoing.result.passing_rps or 0) < ongoing.result.capacity_rps
        assert ongoing.result.capacity_rps < (ongoing.result.failing_rps or 0)


def noisy(server: Server, rng: np.random.Generator, share: float) -> Server:
    """A stall spoils that share of the open steps."""

    def serve(step: Step) -> Outcome:
        stalled = step.rate_rps is not None and rng.random() < share
        return outcome(900.0) if stalled else server(step)

    return serve


def test_by_the_old_rule_a_second_try_keeps_stalls_from_leading_the_search_astray() -> None:
    stalled: Iterator[bool] = iter([True, False] * 50)

    def serve(step: Step) -> Outcome:
        sound = server_of(700.0)(step)
        first = step.rate_rps is not None and not step.again
        return outcome(900.0) if first and SEARCH.is_met(sound) and next(stalled) else sound

    assert found(searched(serve, OLD)) == pytest.approx(700, rel=0.02)


def test_by_the_old_rule_every_failing_step_is_tried_again_but_those_above_a_failure_once_only() -> None:
    steps = [step for step, _ in searched(server_of(600.0), OLD).trail if step.role == "rung"]

    tries = {
        step.fraction: [other.again for other in steps if other.fraction == step.fraction] for step in steps
    }

    assert tries[0.5] == [False]
    assert tries[0.65] == [False, True]
    assert tries[0.8] == tries[1.1] == [False]


def test_a_rung_that_passes_puts_failures_below_it_aside() -> None:
    def serve(step: Step) -> Outcome:
        return outcome(900.0) if step.role == "rung" and step.fraction == 0.35 else server_of(850.0)(step)

    assert found(searched(serve)) == pytest.approx(850, rel=0.02)


def test_where_the_ladder_is_too_low_it_goes_on_upwards() -> None:
    assert found(searched(server_of(2000.0))) == pytest.approx(2000, rel=0.02)


def test_where_the_ladder_is_too_high_it_goes_on_downwards() -> None:
    assert found(searched(server_of(120.0))) == pytest.approx(120, rel=0.02)


def test_a_server_that_never_meets_the_slo_has_no_capacity_and_no_surge() -> None:
    ongoing = searched(server_of(0.0))

    assert found(ongoing) is None
    assert (
        reason(ongoing)
        == "no rate meets the SLO of 50 ms: p99 was 500.0 ms at 50 requests/s, the lowest tried"
    )
    assert "surge" not in {step.role for step, _ in ongoing.trail}


def test_a_server_that_always_meets_it_has_no_capacity_either() -> None:
    ongoing = searched(server_of(1e9))

    assert found(ongoing) is None
    assert "the highest rate tried" in reason(ongoing)


def test_errors_miss_the_slo_however_quick_the_answers() -> None:
    def serve(step: Step) -> Outcome:
        failing = step.rate_rps is not None and step.rate_rps > 500
        return replace(server_of(900.0)(step), failed=1 if failing else 0)

    assert found(searched(serve)) == pytest.approx(500, rel=0.02)


def test_a_dead_server_ends_the_search_at_once() -> None:
    ongoing = searched(lambda _: Outcome(0, 100))

    assert len(ongoing.trail) == 1
    assert reason(ongoing) == "nothing was answered in the closed loop"


def test_a_server_too_slow_for_a_p99_is_told_so() -> None:
    ongoing = searched(server_of(10.0, throughput_rps=20.0))

    assert len(ongoing.trail) == 1
    assert "too few samples for a p99: 20 requests/s give fewer than 500 answers" in reason(ongoing)


def test_a_server_whose_rungs_are_all_too_slow_is_tried_at_its_throughput() -> None:
    few = replace(SEARCH, rungs=(0.2, 0.5))
    barely_rps = ENOUGH * ANSWERS_NEEDED / few.step_limit_s

    ongoing = searched(server_of(2 * barely_rps, throughput_rps=1.01 * barely_rps), few)

    assert next(step.fraction for step, _ in ongoing.trail if step.role == "rung") == 1.0


def test_steps_of_a_low_rate_last_until_there_can_be_enough_answers() -> None:
    steps = [step for step, _ in searched(server_of(90.0, throughput_rps=100.0)).trail if step.role == "rung"]

    assert all((step.rate_rps or 0) * step.duration_s >= 1.1 * ANSWERS_NEEDED for step in steps)
    assert min(step.fraction or 0 for step in steps) > RUNGS[0]


@pytest.mark.parametrize(
    ("p99_ms", "lag_ms", "kept"), [(60.0, 5.0, True), (60.0, 15.0, False), (500.0, 15.0, True)]
)
def test_a_miss_that_is_the_load_generators_own_gives_no_capacity(
    p99_ms: float, lag_ms: float, kept: bool
) -> None:
    def serve(step: Step) -> Outcome:
        slow = step.rate_rps is not None and step.rate_rps > 700
        return outcome(p99_ms, lag_ms=lag_ms) if slow else server_of(700.0)(step)

    ongoing = searched(serve)

    assert (found(ongoing) is not None) == kept
    assert ("sent 15.0 ms late" in reason(ongoing)) != kept


def test_a_miss_with_a_generator_at_its_limit_gives_no_capacity() -> None:
    def serve(step: Step) -> Outcome:
        seen = server_of(700.0)(step)
        return seen if SEARCH.is_met(seen) else replace(seen, generator_percent=85.0)

    assert "85 % of its core" in reason(searched(serve))


def test_the_surge_comes_last_at_one_and_a_half_times_the_capacity() -> None:
    ongoing = searched(server_of(700.0))
    last, _ = ongoing.trail[-1]

    assert last.role == "surge"
    assert last.rate_rps == pytest.approx(OVERLOAD * (found(ongoing) or 0))


@pytest.mark.parametrize("search", [SEARCH, OLD], ids=lambda search: search.rule)
def test_a_replay_of_what_was_seen_comes_to_the_same_end(search: Search) -> None:
    first = searched(noisy(server_of(700.0), np.random.default_rng(1), 0.2), search)
    again = OngoingSearch(search)
    for _, seen in first.trail:
        again.learn(seen)

    assert again.trail == first.trail
    assert again.result == first.result


def test_a_search_that_is_over_learns_no_more() -> None:
    with pytest.raises(ValueError, match="the search is over"):
        searched(server_of(700.0)).learn(outcome(5.0))


def turns_of(seed: int) -> list[list[Slice]]:
    """The turns of a round of two searches, of which one is short."""
    searches = (replace(SEARCH, seed=seed), replace(SEARCH, seed=seed, contestant="fastapi"))
    servers = {"flask": server_of(700.0), "fastapi": server_of(0.0)}
    searches_on = [OngoingSearch(search) for search in searches]
    turns: list[list[Slice]] = []
    while pieces := turn(Round(2, (), searches), searches_on, len(turns), sum(len(one) for one in turns)):
        for ongoing, piece in pieces:
            assert ongoing.step is not None
            ongoing.learn(servers[piece.contestant](ongoing.step))
        turns.append([piece for _, piece in pieces])
    return turns


def test_searches_take_turns_in_an_order_that_is_drawn() -> None:
    turns = turns_of(seed=1)
    together = [[piece.contestant for piece in pieces] for pieces in turns if len(pieces) == 2]

    assert {tuple(names) for names in together} == {("flask", "fastapi"), ("fastapi", "flask")}
    assert [piece.index for pieces in turns for piece in pieces] == list(range(sum(map(len, turns))))
    assert all(piece.block == number for number, pieces in enumerate(turns) for piece in pieces)
    assert len(turns[-1]) == 1


def test_slices_of_one_turn_share_their_seed_and_those_of_another_do_not() -> None:
    turns = turns_of(seed=1)
    seeds = [{piece.seed for piece in pieces} for pieces in turns]

    assert all(len(own) == 1 for own in seeds)
    assert len(set.union(*seeds)) == len(turns)


def test_equal_seeds_give_equal_turns() -> None:
    assert turns_of(seed=3) == turns_of(seed=3)
    assert turns_of(seed=3) != turns_of(seed=4)


def test_the_slice_of_a_surge_has_its_relief() -> None:
    surge = turns_of(seed=1)[-1][0]

    assert surge.mode == "surge"
    assert surge.rate_rps == pytest.approx(3 * surge.relief_rps)
    assert surge.relief_s == pytest.approx(2.5 * surge.duration_s)


def test_no_search_lasts_longer_than_the_round_allows_for() -> None:
    pieces = [piece for pieces in turns_of(seed=1) for piece in pieces if piece.contestant == "flask"]

    assert sum(piece.duration_s + piece.relief_s + piece.warmup_s for piece in pieces) < longest_s(SEARCH)
