"""The shop's decisions: pure functions on rows that the caller loads and saves."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from shared.shop.callers import Caller
from shared.shop.errors import (
    AlreadyCancelled,
    Forbidden,
    IdempotencyConflict,
    Invalid,
    NotFound,
    OutOfStock,
    Unauthorized,
)
from shared.shop.faults import fault
from shared.shop.limits import TOKEN
from shared.shop.passwords import matches
from shared.shop.tables import Answer, Item, Order, OrderLine, User

T = TypeVar("T")


class Wanted(NamedTuple):
    """A line of an order as requested."""

    item_id: int
    quantity: int


def found(row: T | None, what: str) -> T:
    """The row, or NotFound when there is none."""
    if row is None:
        raise NotFound(f"There is no such {what}.")
    return row


def new_item(fields: Mapping[str, Any], at: datetime) -> Item:
    """An item as it is created at a moment."""
    return Item(**new_item_row(fields, at))


def new_item_row(fields: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The columns of an item as it is created at a moment."""
    return {**fields, "created_at": at, "updated_at": at}


def change_item(item: Item, fields: Mapping[str, Any], at: datetime) -> Item:
    """The item with the given fields changed."""
    for name, value in fields.items():
        setattr(item, name, value)
    item.updated_at = at
    return item


def new_user(fields: Mapping[str, Any], password_hash: str, at: datetime) -> User:
    """A user as it is created at a moment. `fields` holds no password."""
    return User(**fields, password_hash=password_hash, created_at=at)


def may_appoint(fields: Mapping[str, Any], caller: Caller | None) -> None:
    """Raises Forbidden when a caller who is not an admin would make an admin."""
    if fields.get("is_admin") and not (caller and caller.is_admin):
        raise Forbidden("Only admins appoint admins.")


def whose_orders(asked_for: int | None, caller: Caller) -> int | None:
    """The user whose orders are listed: anybody's for an admin (None: all), one's own for the others."""
    if asked_for is not None:
        caller.may_touch(asked_for)
    return asked_for if asked_for is not None or caller.is_admin else caller.user_id


def logged_in(user: User | None, password: str) -> Caller:
    """Who logs in; raises Unauthorized, after the same time whether the user exists or not."""
    if not matches(user.password_hash if user else None, password) or user is None:
        raise Unauthorized("Username or password is wrong.", "Bearer")
    return Caller(user.id, user.is_admin)


def change_user(user: User, fields: Mapping[str, Any], password_hash: str | None) -> User:
    """The user with the given fields changed, and the password if there is a new one."""
    for name, value in fields.items():
        setattr(user, name, value)
    if password_hash is not None:
        user.password_hash = password_hash
    return user


def each_item_once(lines: Sequence[Wanted]) -> None:
    """Raises Invalid, pointing at every line that names an item for the second time."""
    seen: set[int] = set()
    faults = []
    for position, line in enumerate(lines):
        if line.item_id in seen:
            faults.append(fault(f"/lines/{position}/item_id", "not_allowed"))
        seen.add(line.item_id)
    if faults:
        raise Invalid(faults)


def place_order(user_id: int, lines: Sequence[Wanted], items: Iterable[Item], at: datetime) -> Order:
    """A confirmed order; the stock is taken from `items`. All or nothing: OutOfStock or NotFound change no row.

    `items` are the rows of the items named, locked by the caller.
    """
    by_id = {item.id: item for item in items}
    _refuse(
        "There is no such item: {}.", NotFound, (line.item_id for line in lines if line.item_id not in by_id)
    )
    _refuse(
        "Not enough in stock of: {}.",
        OutOfStock,
        (line.item_id for line in lines if by_id[line.item_id].stock < line.quantity),
    )
    for line in lines:
        by_id[line.item_id].stock -= line.quantity
    return Order(
        user_id=user_id,
        status="confirmed",
        total_cents=sum(by_id[line.item_id].price_cents * line.quantity for line in lines),
        created_at=at,
        lines=[
            OrderLine(
                item_id=line.item_id,
                position=position,
                quantity=line.quantity,
                unit_price_cents=by_id[line.item_id].price_cents,
            )
            for position, line in enumerate(lines)
        ],
    )


def _refuse(detail: str, error: type[NotFound] | type[OutOfStock], item_ids: Iterable[int]) -> None:
    named = ", ".join(f"item {item_id}" for item_id in item_ids)
    if named:
        raise error(detail.format(named))


def cancel(order: Order, items: Iterable[Item]) -> Order:
    """The order cancelled, its stock back in `items` (locked by the caller). Raises AlreadyCancelled."""
    if order.status == "cancelled":
        raise AlreadyCancelled("This order is cancelled already.")
    quantities = {line.item_id: line.quantity for line in order.lines}
    for item in items:
        item.stock += quantities[item.id]
    order.status = "cancelled"
    return order


def idempotency_key(given: Sequence[str]) -> str | None:
    """The key out of all Idempotency-Key headers of a request; raises Invalid unless it is one well-formed token."""
    if not given:
        return None
    key = ",".join(given)
    if not TOKEN.fullmatch(key):
        raise Invalid([fault("Idempotency-Key", "bad_format")])
    return key


def fingerprint(user_id: int, lines: Sequence[Wanted]) -> bytes:
    """A digest that is equal for equal orders, however their JSON was written."""
    return hashlib.sha256(repr((user_id, [tuple(line) for line in lines])).encode()).digest()


def first_answer(answer: Answer, asked: bytes) -> Answer:
    """What was answered first under a key; raises IdempotencyConflict if that was to another order."""
    if answer.fingerprint != asked:
        raise IdempotencyConflict
    return answer


def computed_items(count: int) -> list[dict[str, Any]]:
    """`count` item-shaped records computed without a database, for the serialisation probe."""
    return [
        {
            "id": number,
            "name": f"Item {number}",
            "description": None if number % 3 == 0 else f"Computed item number {number}.",
            "price_cents": number * 37 % 10_000,
            "stock": number * 11 % 500,
        }
        for number in range(1, count + 1)
    ]


def burn(rounds: int) -> int:
    """Spends CPU time in Python: `rounds` steps of a linear congruential generator (Numerical Recipes' constants)."""
    state = 1
    for _ in range(rounds):
        state = (state * 1_664_525 + 1_013_904_223) & 0xFFFF_FFFF
    return state
