"""How much work a slice is: whole cycles of the mix, as many as take the slowest server the planned time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.plan.rounds import Mode, Slice
from loadtests.plan.sizes import sized, whole

USERS = 16


def piece(mode: Mode = "closed", duration_s: float = 0.25) -> Slice:
    load = None if mode == "closed" else 0.5
    return Slice(0, 0, "shop", "one", mode, duration_s, 0.0, USERS, None, seed=1, load=load)


def test_a_closed_slice_takes_the_slowest_server_the_planned_time() -> None:
    (one,) = sized([piece()], {"slow": 1000.0, "fast": 4000.0, "dead": 0.0}, cycle=50)

    assert (one.requests, one.rate_rps) == (250, None)


def test_an_open_slice_comes_at_its_share_of_the_slowest_servers_throughput() -> None:
    (one,) = sized([piece("open", 1.0)], {"slow": 1000.0, "fast": 4000.0}, cycle=6)

    assert one.rate_rps == pytest.approx(500)
    assert one.requests == 498


def test_every_user_has_two_requests_at_least_however_slow_the_server() -> None:
    (one,) = sized([piece()], {"slow": 1.0}, cycle=1)

    assert one.requests == 2 * USERS


def test_where_nobody_answers_the_closed_slices_still_show_it() -> None:
    slices = sized([piece(), piece("open")], {"dead": 0.0}, cycle=5)

    assert [(one.mode, one.requests) for one in slices] == [("closed", 35)]


@given(st.floats(0, 1e6), st.integers(1, 100), st.integers(1, 1000))
def test_slices_are_whole_cycles(requests: float, cycle: int, least: int) -> None:
    found = whole(requests, cycle, least)

    assert found % cycle == 0
    assert found >= least
    assert abs(found - requests) <= cycle / 2 or found < least + cycle
