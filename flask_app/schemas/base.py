"""What the schemas of all rooms stand on."""

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, validates_schema

from flask_app.fields import Broken, QueryInteger
from shared.shop.limits import ID_MAX, LIMIT_DEFAULT, LIMIT_MAX


class Input(Schema):
    """Base of what comes in: an object whose every field is known."""

    error_messages: dict[str, Any] = {  # noqa: RUF012  marshmallow declares it on the instance
        "unknown": Broken("unknown_field"),
        "type": Broken("wrong_type", "an object"),
    }


class Patch(Input):
    """Base of a change: any subset of the fields, but not none of them."""

    @validates_schema(pass_original=True)
    def _not_empty(self, _data: Any, original: Any, **_: Any) -> None:
        if not original:
            raise ValidationError([Broken("missing")])


class Output(Schema):
    """Base of what goes out."""

    class Meta:
        unknown = EXCLUDE


class Query(Schema):
    """Base of query parameters: those that are not known are ignored."""

    class Meta:
        unknown = EXCLUDE


class PageQuery(Query):
    """Which part of a list."""

    limit = QueryInteger(least=1, most=LIMIT_MAX, load_default=LIMIT_DEFAULT)
    offset = QueryInteger(least=0, most=ID_MAX, load_default=0)
