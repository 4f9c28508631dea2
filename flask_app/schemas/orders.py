"""Orders, in and out."""

from marshmallow import fields

from flask_app.fields import Integer, QueryInteger, Rows, Timestamp
from flask_app.schemas.base import Input, Output, PageQuery
from shared.shop.limits import ID_MAX, LINES_MAX, QUANTITY_MAX


class LineIn(Input):
    """So many of an item."""

    item_id = Integer(least=1, most=ID_MAX, required=True)
    quantity = Integer(least=1, most=QUANTITY_MAX, required=True)


class OrderIn(Input):
    """An order to place; each item at most once."""

    user_id = Integer(least=1, most=ID_MAX, required=True)
    lines = Rows(LineIn, shortest=1, longest=LINES_MAX, required=True)


class LineOut(Output):
    """So many of an item, at the price it had."""

    item_id = fields.Integer(required=True)
    quantity = fields.Integer(required=True)
    unit_price_cents = fields.Integer(required=True)


class OrderOut(Output):
    """An order with its lines."""

    id = fields.Integer(required=True)
    user_id = fields.Integer(required=True)
    status = fields.String(required=True)
    lines = fields.List(fields.Nested(LineOut), required=True)
    total_cents = fields.Integer(required=True)
    created_at = Timestamp(required=True)


class OrderPage(Output):
    """A page of orders."""

    items = fields.List(fields.Nested(OrderOut), required=True)
    total = fields.Integer(required=True)
    limit = fields.Integer(required=True)
    offset = fields.Integer(required=True)


class OrderQuery(PageQuery):
    """Whose orders."""

    user_id = QueryInteger(least=1, most=ID_MAX)
