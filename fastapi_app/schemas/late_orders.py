"""Orders that are promised first and taken later."""

from typing import Annotated

from pydantic import BaseModel, Field, StrictInt

from fastapi_app.fields import FromDigits
from fastapi_app.schemas.base import Output
from fastapi_app.schemas.orders import LineIn
from shared.shop.limits import LATE_MS_DEFAULT, PROBE_MS_MAX


class LateOrderIn(LineIn):
    """So many of an item."""


class LateQuery(BaseModel):
    """When the stock is taken."""

    delay_ms: Annotated[StrictInt, Field(ge=0, le=PROBE_MS_MAX), FromDigits] = LATE_MS_DEFAULT


class Promised(Output):
    """The promise, and how late the stock will be taken."""

    accepted: bool
    delay_ms: int


class LateTallyOut(Output):
    """Pieces of an item: promised, taken, and promised without being there."""

    item_id: int
    accepted: int
    taken: int
    oversold: int
