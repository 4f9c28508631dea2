"""The kinds of values in the shop as marshmallow fields: strict, each with the contract's error codes."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from marshmallow import ValidationError, fields, validate

from shared.shop.limits import (
    EMAIL,
    EMAIL_MAX,
    NO_NUL,
    QUERY_INTEGER,
    SORTS,
    USERNAME,
    rfc3339,
)


class Broken(NamedTuple):
    """What marshmallow carries as a message here: a code of the contract, and the bound that was broken."""

    code: str
    limit: object = None


class _Length(validate.Length):
    def __call__(self, value: Any) -> Any:
        if self.min is not None and len(value) < self.min:
            raise ValidationError([Broken("too_short", self.min)])
        if self.max is not None and len(value) > self.max:
            raise ValidationError([Broken("too_long", self.max)])
        return value


class _Range(validate.Range):
    def __call__(self, value: Any) -> Any:
        if self.min is not None and value < self.min:
            raise ValidationError([Broken("too_small", self.min)])
        if self.max is not None and value > self.max:
            raise ValidationError([Broken("too_large", self.max)])
        return value


class _Pattern(validate.Regexp):
    """Matches the whole value: `$` alone would let a final line break pass."""

    def __init__(self, pattern: str) -> None:
        super().__init__(pattern)
        self._whole = re.compile(pattern.removeprefix("^").removesuffix("$"))

    def __call__(self, value: Any) -> Any:
        if not self._whole.fullmatch(value):
            raise ValidationError([Broken("bad_format")])
        return value


class _OneOf(validate.OneOf):
    def __call__(self, value: Any) -> Any:
        if value not in self.choices:
            raise ValidationError([Broken("not_allowed")])
        return value


def _wanted(kind: str) -> dict[str, Any]:
    """Error messages of a field that wants values of one kind."""
    wrong = [Broken("wrong_type", kind)]
    return {"required": [Broken("missing")], "null": wrong, "invalid": wrong}


class Text(fields.String):
    """A string without NUL, of a length within bounds."""

    default_error_messages = _wanted("a string")

    def __init__(
        self, *, shortest: int | None = None, longest: int | None = None, pattern: str = NO_NUL, **rest: Any
    ):
        bounds = [_Length(shortest, longest)] if (shortest, longest) != (None, None) else []
        super().__init__(validate=[*bounds, _Pattern(pattern)], **rest)


class OneOfTexts(fields.String):
    """One of a few strings."""

    default_error_messages = _wanted("a string")

    def __init__(self, choices: Sequence[str], **rest: Any) -> None:
        super().__init__(validate=_OneOf(choices), **rest)


class Integer(fields.Integer):
    """A JSON integer: no string, no boolean, no 5.0."""

    default_error_messages = _wanted("an integer")

    def __init__(self, *, least: int | None = None, most: int | None = None, **rest: Any) -> None:
        bounds = [_Range(least, most)] if (least, most) != (None, None) else []
        super().__init__(validate=bounds, **rest)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if type(value) is not int:
            raise self.make_error("invalid")
        return value


class Boolean(fields.Boolean):
    """A JSON boolean."""

    default_error_messages = _wanted("true or false")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if type(value) is not bool:
            raise self.make_error("invalid")
        return value


class Rows(fields.List[Any]):
    """A list of objects. One that is too long is refused before its elements are looked at."""

    default_error_messages = _wanted("a list")

    def __init__(self, schema: Any, *, shortest: int, longest: int, **rest: Any) -> None:
        row = fields.Nested(schema)
        row.error_messages["null"] = [Broken("wrong_type", "an object")]
        super().__init__(row, validate=_Length(shortest, longest), **rest)
        self._longest = longest

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, list) and len(value) > self._longest:
            raise ValidationError([Broken("too_long", self._longest)])
        return super()._deserialize(value, attr, data, **kwargs)


class Timestamp(fields.AwareDateTime):
    """RFC 3339 in UTC with microseconds and `Z`; only ever dumped."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else rfc3339(value)


class Username(Text):
    """Lower-case letters, digits and underscores."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(pattern=USERNAME, **rest)


class Email(Text):
    """Something@something.something, kept as given."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(longest=EMAIL_MAX, pattern=EMAIL, **rest)


class _Once(fields.Field[Any]):
    """A query parameter arrives as text; a list means that it was given more than once."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, list):
            raise ValidationError([Broken("not_allowed")])
        return super()._deserialize(value, attr, data, **kwargs)


class _FromDigits(Integer):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not QUERY_INTEGER.fullmatch(value):
            raise self.make_error("invalid")
        # Python refuses to convert more than 4,300 digits; 40 are beyond every bound already.
        digits = value.removeprefix("-").lstrip("0")[:40] or "0"
        return int(f"-{digits}" if value.startswith("-") else digits)


class QueryInteger(_Once, _FromDigits):
    """An integer in ASCII digits, with a minus sign or without."""


class _FromWord(Boolean):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return super()._deserialize({"true": True, "false": False}.get(value), attr, data, **kwargs)


class QueryBoolean(_Once, _FromWord):
    """`true` or `false`."""


class QueryText(_Once, Text):
    """Any text without NUL."""


class Sort(_Once, fields.String):
    """One of the orders that items can be listed in."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(validate=_OneOf(SORTS), **rest)
