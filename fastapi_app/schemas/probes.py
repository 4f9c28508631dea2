"""What the probes take and give."""

from typing import Annotated

from pydantic import BaseModel, Field, StrictInt

from fastapi_app.fields import FromDigits
from fastapi_app.schemas.base import Output
from shared.shop.limits import PROBE_COUNT_MAX, PROBE_MS_MAX, PROBE_ROUNDS_MAX


class EchoLine(Output):
    """A line as it came in."""

    item_id: int
    quantity: int


class EchoOut(Output):
    """An order-shaped body as it came in."""

    user_id: int
    lines: list[EchoLine]


class CountQuery(BaseModel):
    """How many items to compute."""

    n: Annotated[StrictInt, Field(ge=0, le=PROBE_COUNT_MAX), FromDigits] = 50


class WaitQuery(BaseModel):
    """How long to wait."""

    ms: Annotated[StrictInt, Field(ge=0, le=PROBE_MS_MAX), FromDigits] = 50


class BurnQuery(BaseModel):
    """How many rounds to compute."""

    n: Annotated[StrictInt, Field(ge=0, le=PROBE_ROUNDS_MAX), FromDigits] = 10_000


class Pong(Output):
    """The smallest answer."""

    message: str


class Slept(Output):
    """How long was waited."""

    ms: int


class Burnt(Output):
    """What came out of the computation."""

    result: int


class Requests(Output):
    """How many requests a server has begun, this one included, and the process that answers."""

    pid: int
    requests: int


class ComputedItem(Output):
    """An item that no table holds."""

    id: int
    name: str
    description: str | None
    price_cents: int
    stock: int


class ComputedItems(Output):
    """Items that no table holds."""

    items: list[ComputedItem]
