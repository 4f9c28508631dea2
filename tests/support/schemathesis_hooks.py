"""What no JSON schema can say of the shop, told to schemathesis: it makes requests of the documents alone."""

from typing import Any

import schemathesis
from schemathesis import GenerationMode

MOST = {"ms": 20, "delay_ms": 20, "n": 40}
FILES = {
    "/api/items/{item_id}/image": "GIF89a" + "x" * 100,
    "/api/predict": "x1,x2,x3,x4,x5,x6,x7,x8\r\n0.5,-1,2,0,1e-3,4,5,6\r\n",
}


@schemathesis.hook
def before_call(_context: Any, case: "schemathesis.Case[Any]", _kwargs: dict[str, Any]) -> None:
    """Probes wait and compute for moments only, and the partner works; what is meant to be right, is."""
    query = case.query or {}
    for name, most in MOST.items():
        if str(query.get(name)).isdecimal() and int(query[name]) > most:
            query[name] = most
    if case.path == "/api/partner/one":
        query.pop("hang", None)
        query.pop("status", None)
    if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE:
        case.body = _right(case.path, case.body)


def _right(path: str, body: Any) -> Any:
    """Integers are written as such (to JSON Schema 5.0 is one too), an order names each item once, files are files."""
    body = _with_integers(body)
    if isinstance(body, dict) and isinstance(body.get("lines"), list):
        body["lines"] = list({line["item_id"]: line for line in body["lines"]}.values())
    if isinstance(body, dict) and "file" in body and path in FILES:
        body["file"] = FILES[path]
    return body


def _with_integers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_integers(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_with_integers(below) for below in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
