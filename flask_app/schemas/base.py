"""What all schemas stand on."""

from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, validates_schema
from marshmallow.fields import Field

from flask_app.fields import QueryInteger, coded, told
from shared.shop.limits import ID_MAX, LIMIT_DEFAULT, LIMIT_MAX


class Loaded(Schema):
    """Base of input schemas: every fault has a code."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.error_messages = _each(coded, self.error_messages)

    def on_bind_field(self, field_name: str, field_obj: Field[Any]) -> None:
        """Gives the messages of a field their codes, and those of the elements of a list."""
        for field in filter(None, (field_obj, getattr(field_obj, "inner", None))):
            field.error_messages = _each(lambda key, text: [coded(key, text)], field.error_messages)


def _each(change: Callable[[str, str], Any], messages: Mapping[str, str]) -> Any:
    return {key: change(key, text) for key, text in messages.items()}


class Input(Loaded):
    """Base of a body: an object whose every field is known."""


class Patch(Input):
    """Base of a change: any subset of the fields, but not none of them."""

    @validates_schema(pass_original=True)
    def _not_empty(self, _data: Any, original: Any, **_: Any) -> None:
        if not original:
            raise ValidationError(told("missing", "Give at least one field."))


class Output(Schema):
    """Base of what goes out."""

    class Meta:
        unknown = EXCLUDE


class Query(Loaded):
    """Base of query parameters: those that are not known are ignored."""

    class Meta:
        unknown = EXCLUDE


class PageQuery(Query):
    """Which part of a list."""

    limit = QueryInteger(least=1, most=LIMIT_MAX, load_default=LIMIT_DEFAULT)
    offset = QueryInteger(least=0, most=ID_MAX, load_default=0)
