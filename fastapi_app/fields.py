"""The kinds of values in the shop as annotated types: strict, each with the contract's error codes."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, Strict, WithJsonSchema
from pydantic_core import PydanticKnownError

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
    STOCK_MAX,
    USERNAME,
    integer_in,
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


def _from_digits(value: Any) -> Any:
    """A query parameter arrives as text; what is not is a default, and what is no integer is left to be refused."""
    return value if not isinstance(value, str) or (number := integer_in(value)) is None else number


def _from_word(value: Any) -> Any:
    return {"true": True, "false": False}.get(value, value)


# Set last, after a field's bounds: pydantic documents bounds as such only directly on the type.
FromDigits = BeforeValidator(_from_digits)
QueryBoolean = Annotated[bool, Strict(), BeforeValidator(_from_word)]
QueryText = Annotated[str, Field(pattern=NO_NUL)]
Sort = Literal["id", "-id", "name", "-name", "price", "-price"]


def _text(value: Any) -> Any:
    if not isinstance(value, str):
        raise PydanticKnownError("string_type")
    return value


ReportKind = Annotated[Literal["sales", "stock"], BeforeValidator(_text)]
