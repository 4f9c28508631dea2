"""Orders, in and out."""

from typing import Annotated

from pydantic import MISSING, Field, StrictInt

from fastapi_app.fields import FromDigits, Quantity, Reference, Timestamp
from fastapi_app.schemas.base import Input, Output, PageQuery
from shared.shop.limits import ID_MAX, LINES_MAX


class LineIn(Input):
    """So many of an item."""

    item_id: Reference
    quantity: Quantity


class OrderIn(Input):
    """An order to place; each item at most once."""

    user_id: Reference
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=LINES_MAX)]


class LineOut(Output):
    """So many of an item, at the price it had."""

    item_id: int
    quantity: int
    unit_price_cents: int


class OrderOut(Output):
    """An order with its lines."""

    id: int
    user_id: int
    status: str
    lines: list[LineOut]
    total_cents: int
    created_at: Timestamp


class OrderQuery(PageQuery):
    """Whose orders."""

    user_id: Annotated[StrictInt, Field(ge=1, le=ID_MAX), FromDigits] | MISSING = MISSING
