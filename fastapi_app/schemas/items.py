"""Items, in and out."""

from typing import Annotated

from pydantic import MISSING, BaseModel, Field, StrictInt

from fastapi_app.fields import (
    Description,
    FromDigits,
    Name,
    Price,
    QueryBoolean,
    QueryText,
    Sort,
    Stock,
    Timestamp,
)
from fastapi_app.schemas.base import Input, Output, PageQuery, Patch
from shared.shop.limits import BATCH_MAX, ID_MAX


class ItemIn(Input):
    """An item to create, or to put in the place of another."""

    name: Name
    description: Description | None = None
    price_cents: Price
    stock: Stock = 0


class ItemPatch(Patch):
    """Some fields of an item."""

    name: Name | MISSING = MISSING
    description: Description | MISSING | None = MISSING
    price_cents: Price | MISSING = MISSING
    stock: Stock | MISSING = MISSING


class ItemBatch(Input):
    """Items to create, all or none."""

    items: Annotated[list[ItemIn], Field(min_length=1, max_length=BATCH_MAX)]


class ItemOut(Output):
    """An item."""

    id: int
    name: str
    description: str | None
    price_cents: int
    stock: int
    created_at: Timestamp
    updated_at: Timestamp


class ItemsOut(Output):
    """The items that a batch created."""

    items: list[ItemOut]


class ItemFilter(BaseModel):
    """Which items, in which order."""

    q: QueryText | MISSING = MISSING
    min_price: Annotated[StrictInt, Field(ge=0, le=ID_MAX), FromDigits] | MISSING = MISSING
    max_price: Annotated[StrictInt, Field(ge=0, le=ID_MAX), FromDigits] | MISSING = MISSING
    in_stock: QueryBoolean | MISSING = MISSING
    sort: Sort = "id"


class ItemQuery(PageQuery, ItemFilter):
    """Which part of these items."""
