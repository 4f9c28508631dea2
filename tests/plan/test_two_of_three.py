"""What is tried how often, and how long, by the rule of two of three."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.plan.search import Search, Step
from loadtests.plan.search_procedure import OngoingSearch
from loadtests.plan.search_two_of_three import turn
from loadtests.samples.outcome import ANSWERS_NEEDED, Outcome

SEARCH = Search("ping", "flask", slo_ms=50.0, seed=7, rule="two of three", pauses=3)
THROUGHPUT_RPS = 1000.0
Server = Callable[[Step], Outcome]


def outcome(step: Step, *, met: bool, pauses: int | None = None, lag_ms: float = 0.1) -> Outcome:
    answered = max(ANSWERS_NEEDED, round((step.rate_rps or THROUGHPUT_RPS) * step.duration_s))
    p99_ms = 10.0 if met else 55.0
    return Outcome(answered, 0, THROUGHPUT_RPS, 5.0, 5.0, 8.0, p99_ms, lag_ms, pauses=pauses)


def searched(serve: Server, search: Search = SEARCH) -> OngoingSearch:
    ongoing = OngoingSearch(search)
    while ongoing.step is not None:
        ongoing.learn(serve(ongoing.step))
    return ongoing


def tries_of(ongoing: OngoingSearch) -> dict[float, list[bool]]:
    """Whether each try of each judged rate passed."""
    tries: dict[float, list[bool]] = {}
    for step, seen in ongoing.trail:
        if step.role in {"rung", "bisection"} and step.rate_rps:
            tries.setdefault(step.rate_rps, []).append(SEARCH.is_met(seen))
    return tries


def steady(capacity_rps: float) -> Server:
    return lambda step: outcome(step, met=(step.rate_rps or 0.0) <= capacity_rps)


@given(st.floats(250, 1000), st.floats(0.02, 0.4), st.integers(0, 2**32))
def test_what_the_result_rests_on_has_two_tries_that_agree_and_a_third_only_if_the_first_two_do_not(
    capacity_rps: float, noise: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)

    def serve(step: Step) -> Outcome:
        load = (step.rate_rps or 1.0) / capacity_rps
        return outcome(step, met=bool(load < np.exp(rng.normal(0, noise))))

    ongoing = searched(serve)
    tries, result = tries_of(ongoing), ongoing.result

    assert result is not None
    for rate_rps, passed in ((result.passing_rps, True), (result.failing_rps, False)):
        assert rate_rps is None or tries[rate_rps].count(passed) == 2
    assert all(len(one) <= 3 for one in tries.values())
    assert all(one[0] != one[1] for one in tries.values() if len(one) == 3)


def test_rungs_far_from_the_turn_are_tried_once() -> None:
    steps = [step for step, _ in searched(steady(600.0)).trail if step.role == "rung"]
    tries = {one.fraction: [step.again for step in steps if step.fraction == one.fraction] for one in steps}

    assert tries[0.5] == tries[0.65] == [False, True]
    assert tries[0.2] == tries[0.35] == tries[0.8] == tries[1.1] == [False]


def test_one_stall_does_not_lead_the_search_astray_wherever_it_falls() -> None:
    sound = searched(steady(700.0))

    for place in range(1, len(sound.trail)):
        numbered: Iterator[int] = iter(range(100))

        def serve(step: Step, place: int = place, numbered: Iterator[int] = numbered) -> Outcome:
            return steady(0.0)(step) if next(numbered) == place else steady(700.0)(step)

        result = searched(serve).result
        assert result is not None
        assert result.capacity_rps == pytest.approx(700, rel=0.01), place


@pytest.mark.parametrize(
    ("passed", "ends"),
    [
        ("PPPFF", (2, 3)),
        ("PFPPF", (3, 4)),  # a failure that three passes contradict
        ("PPFFP", (1, 2)),
        ("PPFPF", (1, 4)),  # as many speak for either: both are left in between
        ("FFFFF", (-1, 0)),
        ("PPPPP", (4, 5)),
        ("FPFFF", (1, 2)),  # a turn with both its ends where one is to be had
        ("PPPFP", (2, 3)),
    ],
)
def test_the_turn_is_where_the_fewest_rungs_contradict_it(passed: str, ends: tuple[int, int]) -> None:
    assert turn([one == "P" for one in passed]) == ends


def test_a_miss_with_a_late_generator_in_one_of_the_two_tries_that_decide_gives_no_capacity() -> None:
    def serve(step: Step) -> Outcome:
        met = (step.rate_rps or 0.0) <= 700
        return outcome(step, met=met, lag_ms=15.0 if step.again and not met else 0.1)

    result = searched(serve).result

    assert result is not None
    assert (result.capacity_rps, result.cause) == (None, "generator")


def pausing(between_pauses: int) -> Server:
    """It reports a pause after each so many requests."""

    def serve(step: Step) -> Outcome:
        answered = (step.rate_rps or THROUGHPUT_RPS) * step.duration_s
        return replace(steady(700.0)(step), pauses=int(answered // between_pauses))

    return serve


def durations(ongoing: OngoingSearch, *roles: str) -> list[float]:
    return [step.duration_s for step, _ in ongoing.trail if step.role in roles]


def test_a_step_lasts_until_there_were_requests_enough_for_three_pauses() -> None:
    ongoing = searched(pausing(600))
    requests = [
        (step.rate_rps or 0) * step.duration_s for step, _ in ongoing.trail if step.role == "bisection"
    ]

    assert durations(ongoing, "closed") == [2.0]
    assert requests == pytest.approx([3 * 2000 / 3] * len(requests))


def test_a_closed_loop_that_saw_fewer_than_three_pauses_is_followed_by_a_longer_one() -> None:
    ongoing = searched(pausing(3000), replace(SEARCH, pause_limit_s=10.0))

    assert durations(ongoing, "closed") == [2.0, 10.0]
    assert max(durations(ongoing, "rung", "bisection")) == 10.0


@pytest.mark.parametrize("server", [steady(700.0), pausing(10**9)], ids=["can't tell", "never pauses"])
def test_steps_of_a_server_without_pauses_or_that_can_not_tell_are_as_short_as_the_answers_allow(
    server: Server,
) -> None:
    assert max(durations(searched(server), "rung", "bisection")) < 3.0


def test_runs_by_the_old_rule_know_no_pauses() -> None:
    old = Search("ping", "flask", slo_ms=50.0, seed=7)
    ongoing = searched(pausing(1500), old)

    assert (old.rule, old.pauses) == ("second try", 0)
    assert durations(ongoing, "closed") == [2.0]
    assert max(durations(ongoing, "rung", "bisection")) < 3.0
