"""The pure decisions behind the cached read: when to leave Redis alone, and what is owed to it."""

from hypothesis import given
from hypothesis import strategies as st

from shared.ops.breaker import PAUSE_S, Breaker
from shared.shop import caching
from shared.shop.caching import Debts


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_breaker_allows_everything_until_something_fails() -> None:
    breaker = Breaker(Clock())
    assert all(breaker.allows() for _ in range(3))
    breaker.failed()
    assert not breaker.allows()


def test_after_the_pause_one_at_a_time_tries() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.failed()
    for _ in range(3):
        clock.now += PAUSE_S
        assert [breaker.allows() for _ in range(3)] == [True, False, False]


def test_when_the_one_that_tries_succeeds_all_are_allowed_again() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.failed()
    clock.now += PAUSE_S
    assert breaker.allows()
    breaker.worked()
    assert all(breaker.allows() for _ in range(3))


def test_when_it_fails_the_pause_starts_again() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.failed()
    clock.now += PAUSE_S
    assert breaker.allows()
    clock.now += PAUSE_S / 2
    breaker.failed()
    clock.now += 0.9 * PAUSE_S
    assert not breaker.allows()


def test_what_is_paid_is_owed_no_longer() -> None:
    debts = Debts(60, Clock())
    assert not debts
    debts.add(["a", "b"])
    owed = debts.owed()
    assert debts
    assert set(owed) == {"a", "b"}
    debts.paid(owed)
    assert not debts


def test_what_is_owed_again_while_it_is_being_paid_stays_owed() -> None:
    clock = Clock()
    debts = Debts(60, clock)
    debts.add(["a", "b"])
    owed = debts.owed()
    clock.now += 1
    debts.add(["a"])
    debts.paid(owed)
    assert set(debts.owed()) == {"a"}


def test_what_is_gone_by_itself_is_owed_no_longer() -> None:
    clock = Clock()
    debts = Debts(60, clock)
    debts.add(["a", "b"])
    clock.now += 59
    debts.add(["a"])
    clock.now += 1
    debts.add(["c"])
    assert set(debts.owed()) == {"a", "c"}


@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=3), max_size=12), st.integers(1, 4))
def test_the_oldest_debts_go_first_and_none_before_its_time(steps: list[list[str]], lifetime: int) -> None:
    clock = Clock()
    debts = Debts(lifetime, clock)
    added: dict[str, float] = {}
    for keys in steps:
        clock.now += 1
        debts.add(keys)
        added |= dict.fromkeys(keys, clock.now)
    assert set(debts.owed()) == {key for key, at in added.items() if at + lifetime > clock.now}


def test_leases_differ_and_are_no_documents() -> None:
    leases = {caching.new_lease() for _ in range(1000)}
    assert len(leases) == 1000
    assert not any(caching.is_document(lease) for lease in leases)
    assert not caching.is_document(None)
    assert caching.is_document(b'{"id":1}')


def test_shops_that_share_a_redis_share_no_key() -> None:
    assert caching.item_key("a", 1) != caching.item_key("b", 1)
    assert caching.item_key("a", 1).startswith("a:")
