"""The shop's decisions, as pure functions on rows in memory."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.shop import rules
from shared.shop.errors import AlreadyCancelled, IdempotencyConflict, Invalid, NotFound, OutOfStock
from shared.shop.rules import Wanted
from shared.shop.tables import Answer, Item

AT = datetime(2026, 1, 1, tzinfo=UTC)
PURE = settings(database=None, deadline=None, max_examples=60)
shelves = st.dictionaries(st.integers(1, 9), st.tuples(st.integers(0, 10), st.integers(0, 500)), min_size=1)
wanted = st.dictionaries(st.integers(1, 9), st.integers(1, 10), min_size=1)


def shelf(contents: dict[int, tuple[int, int]]) -> list[Item]:
    """Items by id, from stock and price."""
    return [Item(id=key, stock=stock, price_cents=price) for key, (stock, price) in contents.items()]


@PURE
@given(contents=shelves, quantities=wanted)
def test_stock_is_taken_and_conserved_or_nothing_changes(
    contents: dict[int, tuple[int, int]], quantities: dict[int, int]
) -> None:
    items, lines = shelf(contents), [Wanted(*line) for line in quantities.items()]
    before = {item.id: item.stock for item in items}
    try:
        order = rules.place_order(1, lines, items, AT)
    except (OutOfStock, NotFound):
        assert {item.id: item.stock for item in items} == before
        return
    ordered = {line.item_id: line.quantity for line in order.lines}
    assert all(item.stock >= 0 for item in items)
    assert {item.id: item.stock + ordered.get(item.id, 0) for item in items} == before
    assert order.total_cents == sum(contents[key][1] * quantity for key, quantity in quantities.items())
    rules.cancel(order, [item for item in items if item.id in ordered])
    assert {item.id: item.stock for item in items} == before
    with pytest.raises(AlreadyCancelled):
        rules.cancel(order, items)


@PURE
@given(ids=st.lists(st.integers(1, 5), max_size=8))
def test_every_repeated_item_is_pointed_at(ids: list[int]) -> None:
    repeats = [place for place, item_id in enumerate(ids) if item_id in ids[:place]]
    lines = [Wanted(item_id, 1) for item_id in ids]
    if not repeats:
        rules.each_item_once(lines)
        return
    with pytest.raises(Invalid) as refused:
        rules.each_item_once(lines)
    pointers = [fault.pointer for fault in refused.value.faults]
    assert pointers == [f"/lines/{place}/item_id" for place in repeats]


@PURE
@given(first=wanted, second=wanted, users=st.tuples(st.integers(1, 2), st.integers(1, 2)))
def test_fingerprints_are_equal_for_equal_orders_only(
    first: dict[int, int], second: dict[int, int], users: tuple[int, int]
) -> None:
    one, other = ([Wanted(*line) for line in lines.items()] for lines in (first, second))
    same = rules.fingerprint(users[0], one) == rules.fingerprint(users[1], other)
    assert same == ((users[0], one) == (users[1], other))


def test_the_first_answer_is_for_the_same_order_only() -> None:
    answer = Answer(key="k", fingerprint=b"a")
    assert rules.first_answer(answer, b"a") is answer
    with pytest.raises(IdempotencyConflict):
        rules.first_answer(answer, b"b")


def test_no_idempotency_key_is_none() -> None:
    assert rules.idempotency_key([]) is None


def test_a_row_that_is_missing_is_named() -> None:
    with pytest.raises(NotFound) as raised:
        rules.found(None, "lamp")
    assert raised.value.detail == "There is no such lamp."
