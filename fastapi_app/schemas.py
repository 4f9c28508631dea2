"""What goes in and out, as pydantic models."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Generic, TypeVar

from pydantic import MISSING, BaseModel, ConfigDict, Field, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from fastapi_app.fields import (
    Boolean,
    Description,
    Email,
    FromDigits,
    Name,
    Password,
    Price,
    Quantity,
    QueryBoolean,
    QueryText,
    Reference,
    Sort,
    Stock,
    Timestamp,
    Username,
)
from shared.errors import Fault
from shared.faults import fault, pointer_to
from shared.limits import (
    BATCH_MAX,
    ID_MAX,
    LIMIT_DEFAULT,
    LIMIT_MAX,
    LINES_MAX,
    PROBE_COUNT_MAX,
    PROBE_MS_MAX,
    PROBE_ROUNDS_MAX,
)

Out = TypeVar("Out")


class Input(BaseModel):
    """Base of what comes in: an object whose every field is known."""

    model_config = ConfigDict(extra="forbid")


class Patch(Input):
    """Base of a change: any subset of the fields, but not none of them."""

    @model_validator(mode="before")
    @classmethod
    def _not_empty(cls, data: Any) -> Any:
        if data == {}:
            raise PydanticCustomError("missing", "no field given")
        return data


class Output(BaseModel):
    """Base of what goes out, read off rows."""

    model_config = ConfigDict(from_attributes=True)


class ItemIn(Input):
    """An item to create, or to put in the place of another."""

    name: Name
    description: Description | None = None
    price_cents: Price
    stock: Stock = 0


class ItemPatch(Patch):
    """Some fields of an item."""

    name: Name | MISSING = MISSING
    description: Description | MISSING | None = MISSING
    price_cents: Price | MISSING = MISSING
    stock: Stock | MISSING = MISSING


class ItemBatch(Input):
    """Items to create, all or none."""

    items: Annotated[list[ItemIn], Field(min_length=1, max_length=BATCH_MAX)]


class ItemOut(Output):
    """An item."""

    id: int
    name: str
    description: str | None
    price_cents: int
    stock: int
    created_at: Timestamp
    updated_at: Timestamp


class ItemsOut(Output):
    """The items that a batch created."""

    items: list[ItemOut]


class UserIn(Input):
    """A user to create."""

    username: Username
    email: Email
    is_admin: Boolean = False
    password: Password


class UserPatch(Patch):
    """Some fields of a user."""

    username: Username | MISSING = MISSING
    email: Email | MISSING = MISSING
    is_admin: Boolean | MISSING = MISSING
    password: Password | MISSING = MISSING


class UserOut(Output):
    """A user, without the password."""

    id: int
    username: str
    email: str
    is_admin: bool
    created_at: Timestamp


class LineIn(Input):
    """So many of an item."""

    item_id: Reference
    quantity: Quantity


class OrderIn(Input):
    """An order to place; each item at most once."""

    user_id: Reference
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=LINES_MAX)]


class LineOut(Output):
    """So many of an item, at the price it had."""

    item_id: int
    quantity: int
    unit_price_cents: int


class OrderOut(Output):
    """An order with its lines."""

    id: int
    user_id: int
    status: str
    lines: list[LineOut]
    total_cents: int
    created_at: Timestamp


class EchoLine(Output):
    """A line as it came in."""

    item_id: int
    quantity: int


class EchoOut(Output):
    """An order-shaped body as it came in."""

    user_id: int
    lines: list[EchoLine]


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


class ItemQuery(PageQuery):
    """Which items, in which order."""

    q: QueryText | MISSING = MISSING
    min_price: Annotated[StrictInt, Field(ge=0, le=ID_MAX), FromDigits] | MISSING = MISSING
    max_price: Annotated[StrictInt, Field(ge=0, le=ID_MAX), FromDigits] | MISSING = MISSING
    in_stock: QueryBoolean | MISSING = MISSING
    sort: Sort = "id"


class OrderQuery(PageQuery):
    """Whose orders."""

    user_id: Annotated[StrictInt, Field(ge=1, le=ID_MAX), FromDigits] | MISSING = MISSING


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
    """How many requests a process has begun, this one included."""

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


class Health(Output):
    """Alive."""

    status: str


class Readiness(Output):
    """Able to answer."""

    status: str
    database: str
    cache: str


class Version(Output):
    """What answers."""

    framework: str
    server: str
    versions: dict[str, str]


class ProblemFault(Output):
    """One thing wrong with a request."""

    pointer: str
    code: str
    message: str


class Problem(Output):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[ProblemFault] | MISSING = MISSING


# pydantic's error type -> the contract's code, and where its context keeps the bound (or what was wanted instead).
_CODES: Mapping[str, tuple[str, str]] = {
    "missing": ("missing", ""),
    "extra_forbidden": ("unknown_field", ""),
    "int_type": ("wrong_type", "an integer"),
    "string_type": ("wrong_type", "a string"),
    "bool_type": ("wrong_type", "true or false"),
    "list_type": ("wrong_type", "a list"),
    "model_type": ("wrong_type", "an object"),
    "model_attributes_type": ("wrong_type", "an object"),
    "wrong_type": ("wrong_type", "an integer"),
    "greater_than_equal": ("too_small", "ge"),
    "less_than_equal": ("too_large", "le"),
    "string_too_short": ("too_short", "min_length"),
    "string_too_long": ("too_long", "max_length"),
    "too_short": ("too_short", "min_length"),
    "too_long": ("too_long", "max_length"),
    "string_pattern_mismatch": ("bad_format", ""),
    "literal_error": ("not_allowed", ""),
    "not_allowed": ("not_allowed", ""),
}


def faults_of(errors: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    """The faults in FastAPI's list of validation errors."""
    for error in errors:
        place, *path = error["loc"]
        code, limit = _CODES[error["type"]]
        if error["type"] == "missing" and not path and error["input"] is None:  # the body is `null`
            code, limit = "wrong_type", "an object"
        where = {"query": f"?{path[0]}" if path else "", "header": "Idempotency-Key"}.get(
            place, pointer_to(path)
        )
        yield fault(where, code, error.get("ctx", {}).get(limit, limit))
