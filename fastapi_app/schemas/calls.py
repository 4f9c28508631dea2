"""What calling the partner takes and gives."""

from typing import Annotated

from pydantic import BaseModel, Field, StrictInt

from fastapi_app.fields import FromDigits, QueryBoolean
from fastapi_app.schemas.base import Output
from shared.shop.limits import FAN_OUT_MAX, PROBE_MS_MAX


class CallQuery(BaseModel):
    """How the partner shall behave."""

    delay_ms: Annotated[StrictInt, Field(ge=0, le=PROBE_MS_MAX), FromDigits] = 50
    status: Annotated[StrictInt, Field(ge=200, le=599), FromDigits] = 200
    hang: QueryBoolean = False


class FanOutQuery(BaseModel):
    """How many calls, and how long each takes."""

    n: Annotated[StrictInt, Field(ge=1, le=FAN_OUT_MAX), FromDigits] = 10
    delay_ms: Annotated[StrictInt, Field(ge=0, le=PROBE_MS_MAX), FromDigits] = 50


class Called(Output):
    """What the partner said."""

    partner: str
    delay_ms: int


class NumberedCall(Output):
    """What the partner said to one of several calls."""

    call: int
    partner: str
    delay_ms: int


class FannedOut(Output):
    """What the partner said, in the order of the calls."""

    calls: list[NumberedCall]
    n: int
