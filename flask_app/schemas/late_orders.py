"""Orders that are promised first and taken later."""

from marshmallow import fields

from flask_app.fields import QueryInteger
from flask_app.schemas.base import Output, Query
from flask_app.schemas.orders import LineIn
from shared.shop.limits import LATE_MS_DEFAULT, PROBE_MS_MAX


class LateOrderIn(LineIn):
    """So many of an item."""


class LateQuery(Query):
    """When the stock is taken."""

    delay_ms = QueryInteger(least=0, most=PROBE_MS_MAX, load_default=LATE_MS_DEFAULT)


class Promised(Output):
    """The promise, and how late the stock will be taken."""

    accepted = fields.Boolean(required=True)
    delay_ms = fields.Integer(required=True)


class LateTallyOut(Output):
    """Pieces of an item: promised, taken, and promised without being there."""

    item_id = fields.Integer(required=True)
    accepted = fields.Integer(required=True)
    taken = fields.Integer(required=True)
    oversold = fields.Integer(required=True)
