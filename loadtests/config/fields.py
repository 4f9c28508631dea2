"""The fields in braces that a scenario may use: their values are drawn for every prepared request."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from shared.http.tokens import issue_token
from shared.ops.settings import DEVELOPMENT_SECRET
from shared.shop.callers import Caller
from shared.shop.seeded import ITEMS, USERS

POPULAR_ITEMS = 5  # those that all users read
ADMIN_ID = 1
# The same tokens in every run, for servers in development mode.
_ISSUED, _VALID_FOR = datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=36_500)
UNIQUE = "#" * 16  # replaced by a new number each time the request is sent


def _lines(count: int) -> Callable[[Random], str]:
    """Order lines of distinct items that are sure to be in stock (ids not divisible by 10)."""

    def draw(rng: Random) -> str:
        items = rng.sample([item for item in range(1, ITEMS + 1) if item % 10], count)
        lines = [{"item_id": item, "quantity": rng.randint(1, 2)} for item in items]
        return _compact(lines)

    return draw


def _new_item(rng: Random) -> dict[str, Any]:
    """An item as it is sent to be created."""
    return {
        "name": f"Crate {rng.randint(1000, 9999)}",
        "description": rng.choice([None, "One of many, each like the other."]),
        "price_cents": 100 * rng.randint(10, 99),
        "stock": rng.randint(100, 999),
    }


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


@cache
def _token(user_id: int, *, is_admin: bool) -> str:
    return issue_token(Caller(user_id, is_admin), DEVELOPMENT_SECRET, _ISSUED, _VALID_FOR)


def admin_header() -> dict[str, str]:
    """The Authorization header of an admin, for servers in development mode."""
    return {"Authorization": f"Bearer {_token(ADMIN_ID, is_admin=True)}"}


FIELDS: Mapping[str, Callable[[Random], str]] = {
    "item_id": lambda rng: str(rng.randint(1, ITEMS)),
    "stocked_item_id": lambda rng: str(10 * rng.randint(0, ITEMS // 10 - 1) + rng.randint(1, 9)),
    "popular_item_id": lambda rng: str(rng.randint(1, POPULAR_ITEMS)),
    "user_id": lambda rng: str(rng.randint(1, USERS)),
    "username": lambda rng: f"user_{rng.randint(1, USERS):03d}",
    "price": lambda rng: str(100 * rng.randint(1, 50)),
    "offset": lambda rng: str(20 * rng.randint(0, 20)),
    "letter": lambda rng: rng.choice("aeinorst"),
    "order_lines": _lines(3),
    "many_lines": _lines(20),
    "new_item": lambda rng: _compact(_new_item(rng)),
    "item_batch": lambda rng: _compact([_new_item(rng) for _ in range(20)]),
    "admin_token": lambda _: _token(ADMIN_ID, is_admin=True),
    "feature_rows": lambda rng: "".join(
        ",".join(f"{rng.uniform(-3, 3):.3f}" for _ in range(8)) + "\r\n" for _ in range(200)
    ),
    "gif": lambda rng: "GIF89a" + "".join(rng.choices("abcdefgh", k=20_000)),
    "unique": lambda _: UNIQUE,
}
# Fields that follow from another one of the same request.
DERIVED: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "user_token": ("user_id", lambda user_id: _token(int(user_id), is_admin=int(user_id) == ADMIN_ID)),
}
FIELD = re.compile(r"\{(\w+)\}")
