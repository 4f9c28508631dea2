"""Problem documents, and the faults in them."""

from collections.abc import Iterator, Sequence
from typing import Any

from marshmallow import fields

from flask_app.fields import Broken, Integer
from flask_app.schemas.base import Output
from shared.shop.errors import Fault
from shared.shop.faults import fault, pointer_to


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
