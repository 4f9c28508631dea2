"""What goes in and out, as marshmallow schemas."""

from collections.abc import Iterator, Sequence
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema

from flask_app.fields import (
    Boolean,
    Broken,
    Email,
    Integer,
    QueryBoolean,
    QueryInteger,
    QueryText,
    Rows,
    Sort,
    Text,
    Timestamp,
    Username,
)
from shared.errors import Fault
from shared.faults import fault, pointer_to
from shared.limits import (
    BATCH_MAX,
    DESCRIPTION_MAX,
    ID_MAX,
    LIMIT_DEFAULT,
    LIMIT_MAX,
    LINES_MAX,
    NAME_MAX,
    PASSWORD_MAX,
    PASSWORD_MIN,
    PRICE_MAX,
    PROBE_COUNT_MAX,
    PROBE_MS_MAX,
    PROBE_ROUNDS_MAX,
    QUANTITY_MAX,
    STOCK_MAX,
)


class Input(Schema):
    """Base of what comes in: an object whose every field is known."""

    error_messages: dict[str, Any] = {  # noqa: RUF012  marshmallow declares it on the instance
        "unknown": Broken("unknown_field"),
        "type": Broken("wrong_type", "an object"),
    }


class Patch(Input):
    """Base of a change: any subset of the fields, but not none of them."""

    @validates_schema(pass_original=True)
    def _not_empty(self, _data: Any, original: Any, **_: Any) -> None:
        if not original:
            raise ValidationError([Broken("missing")])


class Output(Schema):
    """Base of what goes out."""

    class Meta:
        unknown = EXCLUDE


class ItemIn(Input):
    """An item to create, or to put in the place of another."""

    name = Text(shortest=1, longest=NAME_MAX, required=True)
    description = Text(longest=DESCRIPTION_MAX, allow_none=True, load_default=None)
    price_cents = Integer(least=0, most=PRICE_MAX, required=True)
    stock = Integer(least=0, most=STOCK_MAX, load_default=0)


class ItemPatch(Patch):
    """Some fields of an item."""

    name = Text(shortest=1, longest=NAME_MAX)
    description = Text(longest=DESCRIPTION_MAX, allow_none=True)
    price_cents = Integer(least=0, most=PRICE_MAX)
    stock = Integer(least=0, most=STOCK_MAX)


class ItemBatch(Input):
    """Items to create, all or none."""

    items = Rows(ItemIn, shortest=1, longest=BATCH_MAX, required=True)


class ItemOut(Output):
    """An item."""

    id = Integer(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True, allow_none=True)
    price_cents = Integer(required=True)
    stock = Integer(required=True)
    created_at = Timestamp(required=True)
    updated_at = Timestamp(required=True)


class ItemsOut(Output):
    """The items that a batch created."""

    items = fields.List(fields.Nested(ItemOut), required=True)


class UserIn(Input):
    """A user to create."""

    username = Username(required=True)
    email = Email(required=True)
    is_admin = Boolean(load_default=False)
    password = Text(shortest=PASSWORD_MIN, longest=PASSWORD_MAX, required=True)


class UserPatch(Patch):
    """Some fields of a user."""

    username = Username()
    email = Email()
    is_admin = Boolean()
    password = Text(shortest=PASSWORD_MIN, longest=PASSWORD_MAX)


class UserOut(Output):
    """A user, without the password."""

    id = Integer(required=True)
    username = fields.String(required=True)
    email = fields.String(required=True)
    is_admin = Boolean(required=True)
    created_at = Timestamp(required=True)


class LineIn(Input):
    """So many of an item."""

    item_id = Integer(least=1, most=ID_MAX, required=True)
    quantity = Integer(least=1, most=QUANTITY_MAX, required=True)


class OrderIn(Input):
    """An order to place; each item at most once."""

    user_id = Integer(least=1, most=ID_MAX, required=True)
    lines = Rows(LineIn, shortest=1, longest=LINES_MAX, required=True)


class LineOut(Output):
    """So many of an item, at the price it had."""

    item_id = Integer(required=True)
    quantity = Integer(required=True)
    unit_price_cents = Integer(required=True)


class OrderOut(Output):
    """An order with its lines."""

    id = Integer(required=True)
    user_id = Integer(required=True)
    status = fields.String(required=True)
    lines = fields.List(fields.Nested(LineOut), required=True)
    total_cents = Integer(required=True)
    created_at = Timestamp(required=True)


class EchoLine(Output):
    """A line as it came in."""

    item_id = Integer(required=True)
    quantity = Integer(required=True)


class EchoOut(Output):
    """An order-shaped body as it came in."""

    user_id = Integer(required=True)
    lines = fields.List(fields.Nested(EchoLine), required=True)


class ItemPage(Output):
    """A page of items."""

    items = fields.List(fields.Nested(ItemOut), required=True)
    total = Integer(required=True)
    limit = Integer(required=True)
    offset = Integer(required=True)


class UserPage(Output):
    """A page of users."""

    items = fields.List(fields.Nested(UserOut), required=True)
    total = Integer(required=True)
    limit = Integer(required=True)
    offset = Integer(required=True)


class OrderPage(Output):
    """A page of orders."""

    items = fields.List(fields.Nested(OrderOut), required=True)
    total = Integer(required=True)
    limit = Integer(required=True)
    offset = Integer(required=True)


class Query(Schema):
    """Base of query parameters: those that are not known are ignored."""

    class Meta:
        unknown = EXCLUDE


class PageQuery(Query):
    """Which part of a list."""

    limit = QueryInteger(least=1, most=LIMIT_MAX, load_default=LIMIT_DEFAULT)
    offset = QueryInteger(least=0, most=ID_MAX, load_default=0)


class ItemQuery(PageQuery):
    """Which items, in which order."""

    q = QueryText()
    min_price = QueryInteger(least=0, most=ID_MAX)
    max_price = QueryInteger(least=0, most=ID_MAX)
    in_stock = QueryBoolean()
    sort = Sort(load_default="id")


class OrderQuery(PageQuery):
    """Whose orders."""

    user_id = QueryInteger(least=1, most=ID_MAX)


class CountQuery(Query):
    """How many items to compute."""

    n = QueryInteger(least=0, most=PROBE_COUNT_MAX, load_default=50)


class WaitQuery(Query):
    """How long to wait."""

    ms = QueryInteger(least=0, most=PROBE_MS_MAX, load_default=50)


class BurnQuery(Query):
    """How many rounds to compute."""

    n = QueryInteger(least=0, most=PROBE_ROUNDS_MAX, load_default=10_000)


class Pong(Output):
    """The smallest answer."""

    message = fields.String(required=True)


class Slept(Output):
    """How long was waited."""

    ms = Integer(required=True)


class Burnt(Output):
    """What came out of the computation."""

    result = Integer(required=True)


class Requests(Output):
    """How many requests a process has begun, this one included."""

    pid = Integer(required=True)
    requests = Integer(required=True)


class ComputedItem(Output):
    """An item that no table holds."""

    id = Integer(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True, allow_none=True)
    price_cents = Integer(required=True)
    stock = Integer(required=True)


class ComputedItems(Output):
    """Items that no table holds."""

    items = fields.List(fields.Nested(ComputedItem), required=True)


class Health(Output):
    """Alive."""

    status = fields.String(required=True)


class Readiness(Output):
    """Able to answer."""

    status = fields.String(required=True)
    database = fields.String(required=True)
    cache = fields.String(required=True)


class Version(Output):
    """What answers."""

    framework = fields.String(required=True)
    server = fields.String(required=True)
    versions = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class ProblemFault(Output):
    """One thing wrong with a request."""

    pointer = fields.String(required=True)
    code = fields.String(required=True)
    message = fields.String(required=True)


class Problem(Output):
    """A problem document (RFC 9457)."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True)
    errors = fields.List(fields.Nested(ProblemFault))


def faults_of(messages: Any, prefix: str = "") -> Iterator[Fault]:
    """The faults in marshmallow's nested messages, the first one of each place.

    `prefix` is `?` for query parameters, which are named rather than pointed to.
    """
    for path, broken in _walk(messages, ()):
        where = f"?{path[0]}" if prefix else pointer_to(path)
        yield fault(where, broken.code, broken.limit)


def _walk(node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[Sequence[str | int], Broken]]:
    if not isinstance(node, dict):
        yield path, node[0]
        return
    for key, below in node.items():
        whole = key == "_schema" and isinstance(below, list) and below[0].code != "unknown_field"
        yield from _walk(below, path if whole else (*path, key))
