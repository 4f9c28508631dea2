"""What the probes take and give."""

from marshmallow import fields

from flask_app.fields import QueryInteger
from flask_app.schemas.base import Output, Query
from shared.shop.limits import PROBE_COUNT_MAX, PROBE_MS_MAX, PROBE_ROUNDS_MAX


class EchoLine(Output):
    """A line as it came in."""

    item_id = fields.Integer(required=True)
    quantity = fields.Integer(required=True)


class EchoOut(Output):
    """An order-shaped body as it came in."""

    user_id = fields.Integer(required=True)
    lines = fields.List(fields.Nested(EchoLine), required=True)


class CountQuery(Query):
    """How many items to compute."""

    n = QueryInteger(least=0, most=PROBE_COUNT_MAX, load_default=50)


class WaitQuery(Query):
    """How long to wait."""

    ms = QueryInteger(least=0, most=PROBE_MS_MAX, load_default=50)


class BurnQuery(Query):
    """How many rounds to compute."""

    n = QueryInteger(least=0, most=PROBE_ROUNDS_MAX, load_default=10_000)


class Pong(Output):
    """The smallest answer."""

    message = fields.String(required=True)


class Slept(Output):
    """How long was waited."""

    ms = fields.Integer(required=True)


class Burnt(Output):
    """What came out of the computation."""

    result = fields.Integer(required=True)


class Requests(Output):
    """How many requests a server has begun, this one included, and the process that answers."""

    pid = fields.Integer(required=True)
    requests = fields.Integer(required=True)


class ComputedItem(Output):
    """An item that no table holds."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True, allow_none=True)
    price_cents = fields.Integer(required=True)
    stock = fields.Integer(required=True)


class ComputedItems(Output):
    """Items that no table holds."""

    items = fields.List(fields.Nested(ComputedItem), required=True)
