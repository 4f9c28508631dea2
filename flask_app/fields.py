"""marshmallow's fields and validators, as strict as the contract; what they say against a value carries a code.

The words are marshmallow's own, but for those that it has none for.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from marshmallow import ValidationError, fields, validate

from shared.shop.limits import EMAIL, EMAIL_MAX, NO_NUL, SORTS, USERNAME, integer_in, rfc3339

# Any other message means that a value is of the wrong type.
_CODES = {"required": "missing", "unknown": "unknown_field", "twice": "not_allowed"}


def coded(key: str, text: str) -> dict[str, str]:
    """One of marshmallow's error messages, by its key, with its code."""
    return {"code": _CODES.get(key, "wrong_type"), "message": text}


def told(code: str, message: str) -> list[dict[str, str]]:
    """What a validator says: a message with its code, in the form that marshmallow documents for more than text."""
    return [{"code": code, "message": message}]


class Length(validate.Length):
    """A length within bounds."""

    def __call__(self, value: Any) -> Any:
        """The value, unless a bound is broken."""
        try:
            return super().__call__(value)
        except ValidationError as error:
            short = self.min is not None and len(value) < self.min
            raise ValidationError(told("too_short" if short else "too_long", str(error))) from None


class Range(validate.Range):
    """A number within bounds."""

    def __call__(self, value: Any) -> Any:
        """The value, unless a bound is broken."""
        try:
            return super().__call__(value)
        except ValidationError as error:
            small = self.min is not None and value < self.min
            raise ValidationError(told("too_small" if small else "too_large", str(error))) from None


class Pattern(validate.Regexp):
    """Matches the whole value: by itself `$` lets a final line break pass."""

    def __call__(self, value: Any) -> Any:
        """The value, if it matches."""
        if not self.regex.fullmatch(value):
            raise ValidationError(told("bad_format", self.error))
        return value


class OneOf(validate.OneOf):
    """One of a few values."""

    def __call__(self, value: Any) -> Any:
        """The value, if it is one of them."""
        try:
            return super().__call__(value)
        except ValidationError as error:
            raise ValidationError(told("not_allowed", str(error))) from None


class Text(fields.String):
    """A string without NUL, of a length within bounds."""

    def __init__(
        self, *, shortest: int | None = None, longest: int | None = None, pattern: str = NO_NUL, **rest: Any
    ) -> None:
        super().__init__(validate=[Length(shortest, longest), Pattern(pattern)], **rest)


class Integer(fields.Integer):
    """A JSON integer within bounds: no string, no boolean, no 5.0."""

    def __init__(self, *, least: int, most: int, **rest: Any) -> None:
        super().__init__(validate=Range(least, most), **rest)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if type(value) is not int:  # `strict=True` means the same, at four times the price
            raise self.make_error("invalid")
        return value


class Boolean(fields.Boolean):
    """A JSON boolean: marshmallow's own takes 1 for true."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if type(value) is not bool:
            raise self.make_error("invalid")
        return value


class Rows(fields.List[Any]):
    """A list of objects. One that is too long is refused before its elements are looked at."""

    def __init__(self, schema: Any, *, shortest: int, longest: int, **rest: Any) -> None:
        self._length = Length(shortest, longest)
        super().__init__(fields.Nested(schema), validate=self._length, **rest)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, list):
            self._length(value)
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

    default_error_messages = {"twice": "Given more than once."}  # noqa: RUF012  marshmallow declares it so

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, list):
            raise self.make_error("twice")
        return super()._deserialize(value, attr, data, **kwargs)


class _FromDigits(fields.Integer):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        integer = integer_in(value)
        if integer is None:
            raise self.make_error("invalid")
        return integer


class QueryInteger(_Once, _FromDigits):
    """An integer in ASCII digits, with a minus sign or without, within bounds."""

    def __init__(self, *, least: int, most: int, **rest: Any) -> None:
        super().__init__(validate=Range(least, most), **rest)


class QueryBoolean(_Once, fields.Boolean):
    """`true` or `false`."""

    truthy = {"true"}  # noqa: RUF012
    falsy = {"false"}  # noqa: RUF012


class QueryText(_Once, Text):
    """Any text without NUL."""


class Sort(_Once, fields.String):
    """One of the orders that items can be listed in."""

    def __init__(self, choices: Sequence[str] = SORTS, **rest: Any) -> None:
        super().__init__(validate=OneOf(choices), **rest)
