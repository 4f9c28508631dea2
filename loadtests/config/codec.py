"""Records to JSON and back: what is read is checked against the record's own types by pydantic."""

import json
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Record = TypeVar("Record")


def from_json(kind: type[Record], text: str) -> Record:
    """The record in a JSON text. Unknown keys are ignored unless the record forbids them. Raises ValueError."""
    return from_document(kind, json.loads(text))


def from_document(kind: type[Record], document: object) -> Record:
    """The same out of a parsed JSON document; the error is one line and names the first key that is wrong."""
    try:
        return _adapter(kind).validate_python(document)
    except ValueError as error:
        raise ValueError(_in_one_line(error)) from error


def to_document(record: Any) -> dict[str, Any]:
    """The record as a document for `json.dumps`, its fields under their aliases."""
    document: dict[str, Any] = _adapter(type(record)).dump_python(record, by_alias=True)
    return document


def _adapter(kind: type[Record]) -> "TypeAdapter[Record]":
    from pydantic import TypeAdapter  # noqa: PLC0415  not every command reads a record, and pydantic takes its time

    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


_ADAPTERS: dict[type, "TypeAdapter[Any]"] = {}


def _in_one_line(error: ValueError) -> str:
    from pydantic import ValidationError  # noqa: PLC0415

    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
