"""Problem documents, and the faults in them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import MISSING

from fastapi_app.schemas.base import Output
from shared.shop.errors import Fault
from shared.shop.faults import fault, pointer_to


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
    "value_error": ("wrong_type", "one file"),
    "greater_than_equal": ("too_small", "ge"),
    "less_than_equal": ("too_large", "le"),
    "string_too_short": ("too_short", "min_length"),
    "string_too_long": ("too_long", "max_length"),
    "too_short": ("too_short", "min_length"),
    "too_long": ("too_long", "max_length"),
    "string_pattern_mismatch": ("bad_format", ""),
    "literal_error": ("not_allowed", ""),
}


def faults_of(errors: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    """The faults in FastAPI's list of validation errors."""
    for error in errors:
        place, *path = error["loc"]
        code, limit = _CODES[error["type"]]
        where = {"query": f"?{path[0]}" if path else "", "header": "Idempotency-Key"}.get(
            place, pointer_to(path)
        )
        yield fault(where, code, error.get("ctx", {}).get(limit, limit))
