"""How much work a slice is: whole cycles of the mix, as many as take the slowest server the planned time."""

from hypothesis import given
from hypothesis import strategies as st

from loadtests.plan.rounds import Slice
from loadtests.plan.sizes import sized, whole

USERS = 16


def piece(duration_s: float = 0.25) -> Slice:
    return Slice(0, 0, "shop", "one", "closed", duration_s, 0.0, USERS, None, seed=1)


def test_a_closed_slice_takes_the_slowest_server_the_planned_time() -> None:
    (one,) = sized([piece()], {"slow": 1000.0, "fast": 4000.0, "dead": 0.0}, cycle=50)

    assert (one.requests, one.rate_rps) == (250, None)


def test_every_user_has_two_requests_at_least_however_slow_the_server() -> None:
    (one,) = sized([piece()], {"slow": 1.0}, cycle=1)

    assert one.requests == 2 * USERS


def test_where_nobody_answers_the_slices_still_show_it() -> None:
    assert [one.requests for one in sized([piece()], {"dead": 0.0}, cycle=5)] == [35]


@given(st.floats(0, 1e6), st.integers(1, 100), st.integers(1, 1000))
def test_slices_are_whole_cycles(requests: float, cycle: int, least: int) -> None:
    found = whole(requests, cycle, least)

    assert found % cycle == 0
    assert found >= least
    assert abs(found - requests) <= cycle / 2 or found < least + cycle
