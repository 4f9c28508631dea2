"""The SQL that both apps execute, built in one place so that both send the same statements."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, BindParameter, Delete, Select, cast, delete, func, literal, select, text
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.sql.elements import TextClause

from shared.shop.exports import COLUMNS
from shared.shop.limits import LOW_STOCK_MAX
from shared.shop.tables import Answer, Item, LateTally, Mail, Order, OrderLine, Task, User

PING: TextClause = text("SELECT 1")
# Gives the items in the order of the rows that it is executed with. Without render_nulls there would be one INSERT for
# rows that have a description and another one for those that have none.
NEW_ITEMS: ReturningInsert[Item] = (
    insert(Item).returning(Item, sort_by_parameter_order=True).execution_options(render_nulls=True)
)

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
    """Items by filter and order. `in_stock` false means: only those that are sold out."""
    found = select(Item).order_by(*_SORTS[sort])
    if q is not None:
        found = found.where(Item.name.icontains(q, autoescape=True))
    if min_price is not None:
        found = found.where(Item.price_cents >= _any_integer(min_price))
    if max_price is not None:
        found = found.where(Item.price_cents <= _any_integer(max_price))
    if in_stock is not None:
        found = found.where(Item.stock > 0 if in_stock else Item.stock == 0)
    return found


def export(**query: Any) -> Select[Any]:
    """The columns of an export, in their order, of the items that a filter lets through."""
    return items(**query).with_only_columns(*(getattr(Item, name) for name in COLUMNS))


def _any_integer(bound: int) -> BindParameter[int]:
    """A bound of 64 bits: as one of the column's own 32 the larger ones would be refused by the database."""
    return literal(bound, BigInteger)


def last_changed(count: int) -> Select[Item]:
    """Items that were changed or ordered last, the latest first. Of the orders the newest `count` are looked at."""
    newest = select(Order.id, Order.created_at).order_by(Order.id.desc()).limit(count).subquery()
    ordered = (
        select(OrderLine.item_id, func.max(newest.c.created_at).label("at"))
        .join(newest, newest.c.id == OrderLine.order_id)
        .group_by(OrderLine.item_id)
        .subquery()
    )
    # GREATEST leaves out NULL: most items are in none of those orders.
    latest = func.greatest(Item.updated_at, ordered.c.at)
    joined = select(Item).outerjoin(ordered, ordered.c.item_id == Item.id)
    return joined.order_by(latest.desc(), Item.id.desc()).limit(count)


def users() -> Select[User]:
    """All users by id."""
    return select(User).order_by(User.id)


def orders(*, user_id: int | None = None) -> Select[Order]:
    """All orders by id, or those of one user."""
    found = select(Order).order_by(Order.id)
    return found if user_id is None else found.where(Order.user_id == user_id)


def count(rows: Select[Any]) -> Select[int]:
    """The number of rows of a select."""
    return select(func.count()).select_from(rows.order_by(None).subquery())


def item_for_update(item_id: int) -> Select[Item]:
    """One item, locked until the transaction ends."""
    return select(Item).where(Item.id == item_id).with_for_update()


def items_for_update(item_ids: Iterable[int]) -> Select[Item]:
    """Items, locked one after the other by id: two orders that share items cannot deadlock."""
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


def pending_mails(limit: int) -> Select[Mail]:
    """Mails that are neither sent nor being sent, locked until the transaction ends, oldest first."""
    pending = select(Mail).where(Mail.sent_at.is_(None)).order_by(Mail.id)
    return pending.limit(limit).with_for_update(skip_locked=True)


def mails(*, user_id: int | None = None) -> Select[Mail]:
    """All mails by id, or those to one user."""
    found = select(Mail).order_by(Mail.id)
    return found if user_id is None else found.where(Mail.user_id == user_id)


def accept_late(item_id: int, quantity: int) -> Insert:
    """Counts pieces of an item as promised."""
    first = insert(LateTally).values(item_id=item_id, accepted=quantity, taken=0, oversold=0)
    return first.on_conflict_do_update(
        index_elements=[LateTally.item_id], set_={"accepted": LateTally.accepted + quantity}
    )


def late_tally_for_update(item_id: int) -> Select[LateTally]:
    """What was promised of an item, locked until the transaction ends; always after the item."""
    return select(LateTally).where(LateTally.item_id == item_id).with_for_update()


def sales(user_id: int | None) -> Select[str, int, int]:
    """Orders and revenue in cents by status, of one user or of all."""
    revenue = func.coalesce(func.sum(Order.total_cents), 0)
    found = select(Order.status, func.count(), revenue).group_by(Order.status)
    return found if user_id is None else found.where(Order.user_id == user_id)


STOCK: Select[int, int, int, int] = select(
    func.count(),
    func.count().filter(Item.stock == 0),
    func.count().filter(Item.stock.between(1, LOW_STOCK_MAX)),
    func.coalesce(func.sum(cast(Item.stock, BigInteger) * Item.price_cents), 0),
)


def forget_tasks(before: datetime) -> Delete:
    """Deletes the tasks whose outcome has expired."""
    return delete(Task).where(Task.created_at < before)
