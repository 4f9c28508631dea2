"""What no JSON schema can say of the shop, told to schemathesis: it makes requests of the documents alone."""

from typing import Any

import schemathesis

LONGEST_MS, MOST_ROUNDS = 20, 1000


FILES = {
    "/api/items/{item_id}/image": b"GIF89a" + bytes(100),
    "/api/predict": b"x1,x2,x3,x4,x5,x6,x7,x8\r\n0.5,-1,2,0,1e-3,4,5,6\r\n",
}


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Integers are written as such (to JSON Schema 5.0 is one too), an order names each item once, files are files."""
    body = _with_integers(body)
    if isinstance(body, dict) and isinstance(body.get("file"), bytes) and context.operation.path in FILES:
        body["file"] = FILES[context.operation.path]
    if isinstance(body, dict) and isinstance(body.get("lines"), list):
        body["lines"] = _each_item_once(body["lines"])
    return body


@schemathesis.hook
def map_query(_context: Any, query: Any) -> Any:
    """Probes that wait or compute do so for moments only."""
    for name, most in (("ms", LONGEST_MS), ("delay_ms", LONGEST_MS), ("n", MOST_ROUNDS)):
        if query and isinstance(query.get(name), int | float) and query[name] > most:
            query[name] = most
    return query


def _with_integers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_integers(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_with_integers(below) for below in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _each_item_once(lines: list[Any]) -> list[Any]:
    seen: set[Any] = set()
    kept = []
    for line in lines:
        item = repr(line.get("item_id")) if isinstance(line, dict) else None
        if item is None or item not in seen:
            kept.append(line)
        seen.add(item)
    return kept
