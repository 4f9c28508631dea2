"""Problem documents, and the faults in them."""

from collections.abc import Iterator, Sequence
from typing import Any

from marshmallow import fields

from flask_app.schemas.base import Output
from shared.shop.errors import Fault
from shared.shop.faults import pointer_to


class ProblemFault(Output):
    """One thing wrong with a request."""

    pointer = fields.String(required=True)
    code = fields.String(required=True)
    message = fields.String(required=True)


class Problem(Output):
    """A problem document (RFC 9457)."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True)
    errors = fields.List(fields.Nested(ProblemFault))


def faults_of(messages: Any, location: str) -> Iterator[Fault]:
    """The faults in marshmallow's nested messages, the first one of each place.

    location: where webargs took the values from. Those of a query are named rather than pointed to.
    """
    for path, message in _walk(messages, ()):
        pointer = f"?{path[0]}" if location == "query" else pointer_to(path)
        yield Fault(pointer, **message)


def _walk(node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[Sequence[str | int], dict[str, str]]]:
    if not isinstance(node, dict):
        yield path, node[0]
        return
    for key, below in node.items():
        # What is wrong with an object as a whole; a field that the client calls so is unknown.
        whole = key == "_schema" and isinstance(below, list) and below[0]["code"] != "unknown_field"
        yield from _walk(below, path if whole else (*path, key))
