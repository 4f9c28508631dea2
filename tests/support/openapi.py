"""An OpenAPI document reduced to what it says of requests and answers, so that two tools' documents compare.

Dropped are words for people (title, description, summary, operationId, tags) and nothing else. Unified are
spellings: `$ref` and what it names; `anyOf` with null and a list of types; the order of `required`, `enum` and
parameters; a null default and none (FastAPI writes no null).
"""

from typing import Any

_WORDS = {"title", "description", "summary", "operationId", "tags"}
_BY_NAME = {"properties", "responses", "content", "paths"}


def normalised_paths(document: dict[str, Any]) -> dict[str, Any]:
    """All operations of a document, by path and method."""
    return {path: _named(document, operations) for path, operations in document["paths"].items()}


def _named(document: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """A mapping whose keys are names and not keywords."""
    return {name: _normalised(document, value) for name, value in values.items()}


def _normalised(document: dict[str, Any], node: Any) -> Any:
    if isinstance(node, list):
        return [_normalised(document, one) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _normalised(document, document["components"]["schemas"][node["$ref"].rpartition("/")[2]])
    kept = {key: value for key, value in _unified(node).items() if key not in _WORDS}
    return {
        key: _named(document, value) if key in _BY_NAME else _sorted(key, _normalised(document, value))
        for key, value in kept.items()
        if not (key == "default" and value is None) and not (key == "parameters" and value == [])
    }


def _unified(node: dict[str, Any]) -> dict[str, Any]:
    """The node with `anyOf: [schema, null]` written as a list of types."""
    choices = node.get("anyOf", ())
    if len(choices) != 2 or {"type": "null"} not in choices:
        return node
    [schema] = [choice for choice in choices if choice != {"type": "null"}]
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    return {**rest, **schema, "type": [schema["type"], "null"]}


def _sorted(key: str, value: Any) -> Any:
    if key == "parameters":
        return sorted(value, key=lambda parameter: (parameter["in"], parameter["name"]))
    return sorted(value) if key in {"required", "enum"} and isinstance(value, list) else value
