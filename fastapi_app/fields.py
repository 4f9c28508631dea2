"""The kinds of values in the shop as annotated types: strict, each with the contract's error codes."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, Strict, WithJsonSchema
from pydantic_core import PydanticCustomError, PydanticKnownError

from shared.shop.limits import (
    DESCRIPTION_MAX,
    EMAIL,
    EMAIL_MAX,
    ID_MAX,
    NAME_MAX,
    NO_NUL,
    PASSWORD_MAX,
    PASSWORD_MIN,
    PRICE_MAX,
    QUANTITY_MAX,
    QUERY_INTEGER,
    STOCK_MAX,
    USERNAME,
    rfc3339,
)

Name = Annotated[str, Field(min_length=1, max_length=NAME_MAX, pattern=NO_NUL)]
Description = Annotated[str, Field(max_length=DESCRIPTION_MAX, pattern=NO_NUL)]
Price = Annotated[int, Strict(), Field(ge=0, le=PRICE_MAX)]
Stock = Annotated[int, Strict(), Field(ge=0, le=STOCK_MAX)]
Username = Annotated[str, Field(pattern=USERNAME)]
Email = Annotated[str, Field(max_length=EMAIL_MAX, pattern=EMAIL)]
Password = Annotated[str, Field(min_length=PASSWORD_MIN, max_length=PASSWORD_MAX, pattern=NO_NUL)]
Boolean = Annotated[bool, Strict()]
Quantity = Annotated[int, Strict(), Field(ge=1, le=QUANTITY_MAX)]
Reference = Annotated[int, Strict(), Field(ge=1, le=ID_MAX)]
Timestamp = Annotated[
    datetime,
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def _once(value: Any) -> Any:
    """A query parameter arrives as text; a list means that it was given more than once."""
    if isinstance(value, list):
        raise PydanticCustomError("not_allowed", "given more than once")
    return value


def _from_digits(value: Any) -> Any:
    if not isinstance(_once(value), str):  # a default
        return value
    if not QUERY_INTEGER.fullmatch(value):
        raise PydanticCustomError("wrong_type", "no integer", {"kind": "an integer"})
    # Python refuses to convert more than 4,300 digits; 40 are beyond every bound already.
    digits = value.removeprefix("-").lstrip("0")[:40] or "0"
    return int(f"-{digits}" if value.startswith("-") else digits)


def _from_word(value: Any) -> Any:
    return {"true": True, "false": False}.get(_once(value), value)


# Set last, after a field's bounds: pydantic documents bounds as such only directly on the type.
FromDigits = BeforeValidator(_from_digits)
QueryBoolean = Annotated[bool, Strict(), BeforeValidator(_from_word)]
QueryText = Annotated[str, Field(pattern=NO_NUL), BeforeValidator(_once)]
Sort = Annotated[Literal["id", "-id", "name", "-name", "price", "-price"], BeforeValidator(_once)]


def _text(value: Any) -> Any:
    if not isinstance(value, str):
        raise PydanticKnownError("string_type")
    return value


ReportKind = Annotated[Literal["sales", "stock"], BeforeValidator(_text)]
