"""A request with its expected answer, and sequences of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Step:
    """One request and what is expected of the answer.

    code: the problem's code; pointers: where the faults of a 422 are, with their codes.
    keep: names under which members of the answer are kept for later steps (`item: id`).
    """

    method: str
    path: str
    status: int
    body: str | bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str | None = None
    pointers: tuple[tuple[str, str], ...] | None = None
    keep: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Steps that follow each other."""

    name: str
    steps: tuple[Step, ...]


def post(
    path: str,
    body: str | bytes,
    status: int = 201,
    headers: Mapping[str, str] = JSON,
    code: str | None = None,
    pointers: tuple[tuple[str, str], ...] | None = None,
    keep: Mapping[str, str] | None = None,
) -> Step:
    """A POST of JSON that creates something, unless said otherwise."""
    return Step("POST", path, status, body, headers, code, pointers, keep or {})


def refused(path: str, body: str | bytes, *pointers: tuple[str, str]) -> Step:
    """A POST of JSON that is refused with 422; pointers: where the faults are, with their codes."""
    return post(path, body, 422, code="invalid", pointers=pointers)
