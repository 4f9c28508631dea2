"""Deterministic rows: the same seed gives the same shop, byte for byte."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, text, update

from shared.shop.passwords import hash_password
from shared.shop.seeded import ITEMS, ORDERS, PASSWORD, USERS
from shared.shop.tables import Item, Order, OrderLine, User

_OPENING = datetime(2026, 1, 1, 8, 0, 0, 123456, tzinfo=UTC)
_MATERIALS = ("Oak", "Steel", "Linen", "Glass", "Copper", "Birch", "Wool", "Slate")
_THINGS = ("chair", "lamp", "table", "kettle", "shelf", "bowl", "blanket", "clock", "mirror", "vase")


def fill(engine: Engine, seed: int = 0) -> None:
    """Writes 1,000 items, 200 users and 1,000 orders into empty tables."""
    rng = random.Random(seed)
    items, orders = item_rows(rng), order_rows(rng)
    with engine.begin() as connection:
        connection.execute(insert(Item), items)
        connection.execute(insert(User), user_rows())
        connection.execute(insert(Order), orders)
        connection.execute(insert(OrderLine), line_rows(rng, items, orders))
        _total_the_orders(connection)
        _continue_the_ids(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def item_rows(rng: random.Random) -> list[dict[str, Any]]:
    """Items 1 to 1,000; every tenth is scarce (0 to 9 in stock), of the others there is plenty."""
    return [
        {
            "id": number,
            "name": f"{rng.choice(_MATERIALS)} {rng.choice(_THINGS)} {number:04d}",
            "description": None
            if number % 7 == 0
            else f"A {rng.choice(_THINGS)} for every day, made to last.",
            "price_cents": rng.randrange(99, 100_000),
            "stock": rng.randrange(10) if number % 10 == 0 else rng.randrange(500_000, 1_000_001),
            "created_at": _OPENING + timedelta(seconds=number),
            "updated_at": _OPENING + timedelta(seconds=number),
        }
        for number in range(1, ITEMS + 1)
    ]


def user_rows() -> list[dict[str, Any]]:
    """Users 1 to 200 with one password; the first is the admin."""
    password_hash = hash_password(PASSWORD, salt=bytes(16))
    return [
        {
            "id": number,
            "username": f"user_{number:03d}",
            "email": f"User{number:03d}@example.com",
            "is_admin": number == 1,
            "password_hash": password_hash,
            "created_at": _OPENING + timedelta(minutes=number),
        }
        for number in range(1, USERS + 1)
    ]


def order_rows(rng: random.Random) -> list[dict[str, Any]]:
    """Orders 1 to 1,000 of random users, every tenth cancelled; totals come from their lines."""
    return [
        {
            "id": number,
            "user_id": rng.randrange(1, USERS + 1),
            "status": "cancelled" if number % 10 == 0 else "confirmed",
            "total_cents": 0,
            "created_at": _OPENING + timedelta(days=1, seconds=number),
        }
        for number in range(1, ORDERS + 1)
    ]


def line_rows(
    rng: random.Random, items: list[dict[str, Any]], orders: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """One to five lines for every order, each item once."""
    return [
        {
            "order_id": order["id"],
            "item_id": item["id"],
            "position": position,
            "quantity": rng.randrange(1, 4),
            "unit_price_cents": item["price_cents"],
        }
        for order in orders
        for position, item in enumerate(rng.sample(items, rng.randrange(1, 6)))
    ]


def _total_the_orders(connection: Connection) -> None:
    price = func.sum(OrderLine.quantity * OrderLine.unit_price_cents)
    total = select(price).where(OrderLine.order_id == Order.id).scalar_subquery()
    connection.execute(update(Order).values(total_cents=total))


def _continue_the_ids(connection: Connection) -> None:
    for table in (Item, User, Order):
        sequence = func.pg_get_serial_sequence(table.__tablename__, "id")
        connection.execute(select(func.setval(sequence, func.max(table.id))))
