"""Items, in and out."""

from marshmallow import fields

from flask_app.fields import Integer, QueryBoolean, QueryInteger, QueryText, Rows, Sort, Text, Timestamp
from flask_app.schemas.base import Input, Output, PageQuery, Patch, Query
from shared.shop.limits import BATCH_MAX, DESCRIPTION_MAX, ID_MAX, NAME_MAX, PRICE_MAX, STOCK_MAX


class ItemIn(Input):
    """An item to create, or to put in the place of another."""

    name = Text(shortest=1, longest=NAME_MAX, required=True)
    description = Text(longest=DESCRIPTION_MAX, allow_none=True, load_default=None)
    price_cents = Integer(least=0, most=PRICE_MAX, required=True)
    stock = Integer(least=0, most=STOCK_MAX, load_default=0)


class ItemPatch(Patch):
    """Some fields of an item."""

    name = Text(shortest=1, longest=NAME_MAX)
    description = Text(longest=DESCRIPTION_MAX, allow_none=True)
    price_cents = Integer(least=0, most=PRICE_MAX)
    stock = Integer(least=0, most=STOCK_MAX)


class ItemBatch(Input):
    """Items to create, all or none."""

    items = Rows(ItemIn, shortest=1, longest=BATCH_MAX, required=True)


class ItemOut(Output):
    """An item."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True, allow_none=True)
    price_cents = fields.Integer(required=True)
    stock = fields.Integer(required=True)
    created_at = Timestamp(required=True)
    updated_at = Timestamp(required=True)


class ItemsOut(Output):
    """The items that a batch created."""

    items = fields.List(fields.Nested(ItemOut), required=True)


class ItemPage(Output):
    """A page of items."""

    items = fields.List(fields.Nested(ItemOut), required=True)
    total = fields.Integer(required=True)
    limit = fields.Integer(required=True)
    offset = fields.Integer(required=True)


class ItemFilter(Query):
    """Which items, in which order."""

    q = QueryText()
    min_price = QueryInteger(least=0, most=ID_MAX)
    max_price = QueryInteger(least=0, most=ID_MAX)
    in_stock = QueryBoolean()
    sort = Sort(load_default="id")


class ItemQuery(PageQuery, ItemFilter):
    """Which part of these items."""
