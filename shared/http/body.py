"""Request bodies: what counts as JSON in both apps."""

import json
import re
from typing import Any

import orjson

from shared.shop.errors import MalformedJson

# orjson turns integers beyond 64 bits into floats. Only a body with so long a run of digits can hold one.
_LONG_NUMBER = re.compile(rb"[0-9]{19}")
# How deep a body with such a number may nest: well within the standard parser's recursion limit.
_DEPTH_MAX = 200


def parse_json(data: bytes) -> Any:
    """The document in `data`; integers of any size stay integers. Raises MalformedJson otherwise.

    orjson refuses what RFC 8259 refuses: NaN, Infinity, invalid UTF-8, lone surrogates, nesting beyond 1024.
    """
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise MalformedJson from None
    return _with_long_integers(data) if _LONG_NUMBER.search(data) else document


def _with_long_integers(data: bytes) -> Any:
    """The same document by the standard parser. `data` is known to be valid JSON."""
    if _depth(data) > _DEPTH_MAX:
        raise MalformedJson
    try:
        return json.loads(data)
    except ValueError:  # an integer of more digits than Python converts
        raise MalformedJson from None


def _depth(data: bytes) -> int:
    """How deep the brackets of a valid document nest, strings aside."""
    depth = deepest = 0
    for bracket in re.sub(rb'"(?:[^"\\]|\\.)*"|[^\[\]{}"]+', b"", data):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest
