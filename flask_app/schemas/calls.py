"""What calling the partner takes and gives."""

from marshmallow import fields

from flask_app.fields import QueryBoolean, QueryInteger
from flask_app.schemas.base import Output, Query
from shared.shop.limits import FAN_OUT_MAX, PROBE_MS_MAX


class CallQuery(Query):
    """How the partner shall behave."""

    delay_ms = QueryInteger(least=0, most=PROBE_MS_MAX, load_default=50)
    status = QueryInteger(least=200, most=599, load_default=200)
    hang = QueryBoolean(load_default=False)


class FanOutQuery(Query):
    """How many calls, and how long each takes."""

    n = QueryInteger(least=1, most=FAN_OUT_MAX, load_default=10)
    delay_ms = QueryInteger(least=0, most=PROBE_MS_MAX, load_default=50)


class Called(Output):
    """What the partner said."""

    partner = fields.String(required=True)
    delay_ms = fields.Integer(required=True)


class NumberedCall(Output):
    """What the partner said to one of several calls."""

    call = fields.Integer(required=True)
    partner = fields.String(required=True)
    delay_ms = fields.Integer(required=True)


class FannedOut(Output):
    """What the partner said, in the order of the calls."""

    calls = fields.List(fields.Nested(NumberedCall), required=True)
    n = fields.Integer(required=True)
