"""What the two OpenAPI documents share: the problems that a route's input implies, and Swagger UI's files."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from shared.shop.errors import KINDS, PROBLEM_TYPE

TITLE = "Shop"
VERSION = "1"
DESCRIPTION = "Items, users and orders: the same API on Flask and on FastAPI."
UPLOAD_CONTENT = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
            "required": ["file"],
            "additionalProperties": False,
        }
    }
}
_STORED = (
    "/api/items",
    "/api/users",
    "/api/orders",
    "/api/auth",
    "/api/outbox",
    "/api/probe/late-orders",
    "/api/reports",
    "/api/tasks",
    "/readyz",
)


def file_content(content_types: Iterable[str]) -> dict[str, Any]:
    """The content of an answer that is a file of one of these types."""
    return {content_type: {"schema": {"type": "string"}} for content_type in content_types}


def docs_assets() -> Path:
    """Where the wheel `fastapi-offline` keeps the files of Swagger UI and ReDoc; the package is not imported."""
    spec = find_spec("fastapi_offline")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("fastapi-offline is not installed; run `make setup`")
    return Path(spec.submodule_search_locations[0], "static")


def problem_responses(path: str, operation: dict[str, Any], stated: Iterable[int]) -> dict[str, Any]:
    """The problems of an operation, by status: those stated and those that follow from its input and its path."""
    statuses = set(stated)
    if "requestBody" in operation:
        statuses |= {400, 413, 415, 422}
    if any(parameter["in"] != "path" for parameter in operation.get("parameters", ())):
        statuses.add(422)
    if "security" in operation:
        statuses |= {401, 403}
    if path.startswith(_STORED):
        statuses.add(503)
    return {str(status): _problem_response(status) for status in sorted(statuses)}


def _problem_response(status: int) -> dict[str, Any]:
    codes = sorted(kind.code for kind in KINDS.values() if kind.status == status)
    return {
        "description": " or ".join(codes),
        "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
