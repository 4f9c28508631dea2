"""The base classes of all schemas."""

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from fastapi_app.fields import FromDigits
from shared.shop.limits import ID_MAX, LIMIT_DEFAULT, LIMIT_MAX


class Input(BaseModel):
    """Base of what comes in: an object whose every field is known."""

    model_config = ConfigDict(extra="forbid")


class Patch(Input):
    """Base of a change: any subset of the fields, but not none of them."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    @model_validator(mode="before")
    @classmethod
    def _not_empty(cls, data: Any) -> Any:
        if data == {}:
            raise PydanticCustomError("missing", "no field given")
        return data


class Output(BaseModel):
    """Base of what goes out, read off rows."""

    model_config = ConfigDict(from_attributes=True)


Out = TypeVar("Out")


class Page(Output, Generic[Out]):
    """A page of a list."""

    items: list[Out]
    total: int
    limit: int
    offset: int


class PageQuery(BaseModel):
    """Which part of a list."""

    limit: Annotated[StrictInt, Field(ge=1, le=LIMIT_MAX), FromDigits] = LIMIT_DEFAULT
    offset: Annotated[StrictInt, Field(ge=0, le=ID_MAX), FromDigits] = 0
