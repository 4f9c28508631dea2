"""The SQL that both apps execute, built in one place so that both send the same statements."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.sql.elements import TextClause

from shared.tables import Answer, Item, Order, User

PING: TextClause = text("SELECT 1")

_SORTS = {
    "id": (Item.id.asc(),),
    "-id": (Item.id.desc(),),
    "name": (Item.name.asc(), Item.id.asc()),
    "-name": (Item.name.desc(), Item.id.asc()),
    "price": (Item.price_cents.asc(), Item.id.asc()),
    "-price": (Item.price_cents.desc(), Item.id.asc()),
}


def items(
    *,
    q: str | None = None,
    min_price: int | None = None,
    max_price: int | None = None,
    in_stock: bool | None = None,
    sort: str = "id",
) -> Select[Item]:
    """Items by filter and order. `in_stock` false means: those that are sold out."""
    found = select(Item).order_by(*_SORTS[sort])
    if q is not None:
        found = found.where(Item.name.icontains(q, autoescape=True))
    if min_price is not None:
        found = found.where(Item.price_cents >= min_price)
    if max_price is not None:
        found = found.where(Item.price_cents <= max_price)
    if in_stock is not None:
        found = found.where(Item.stock > 0 if in_stock else Item.stock == 0)
    return found


def users() -> Select[User]:
    """All users by id."""
    return select(User).order_by(User.id)


def orders(*, user_id: int | None = None) -> Select[Order]:
    """All orders by id, or those of one user."""
    found = select(Order).order_by(Order.id)
    return found if user_id is None else found.where(Order.user_id == user_id)


def count(rows: Select[Any]) -> Select[int]:
    """How many rows a select would give."""
    return select(func.count()).select_from(rows.order_by(None).subquery())


def item_for_update(item_id: int) -> Select[Item]:
    """One item, locked until the transaction ends."""
    return select(Item).where(Item.id == item_id).with_for_update()


def items_for_update(item_ids: Iterable[int]) -> Select[Item]:
    """Items, locked one after the other by id: two orders that share items never wait for each other in a ring."""
    return select(Item).where(Item.id.in_(sorted(item_ids))).order_by(Item.id).with_for_update()


def user_for_update(user_id: int) -> Select[User]:
    """One user, locked until the transaction ends."""
    return select(User).where(User.id == user_id).with_for_update()


def order_for_update(order_id: int) -> Select[Order]:
    """One order, locked until the transaction ends; always before its items."""
    return select(Order).where(Order.id == order_id).with_for_update()


def claim_key(user_id: int, key: str, fingerprint: bytes) -> ReturningInsert[str]:
    """Takes a user's idempotency key; a second request with it waits here until the first has answered.

    Returns the key when it was free, and no row when it was taken.
    """
    claim = insert(Answer).values(user_id=user_id, key=key, fingerprint=fingerprint)
    return claim.on_conflict_do_nothing().returning(Answer.key)


def answer_to(user_id: int, key: str) -> Select[Answer]:
    """What is stored under a user's idempotency key."""
    return select(Answer).where(Answer.user_id == user_id, Answer.key == key)


def user_named(username: str) -> Select[User]:
    """The user who logs in under that name."""
    return select(User).where(User.username == username)
