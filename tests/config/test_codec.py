"""Records to JSON and back: what comes back is equal, what does not fit is refused in one line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field

from loadtests.config import codec


@dataclass(frozen=True, slots=True)
class Inner:
    """A record within another."""

    name: str
    values: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Outer:
    """A record with one of each kind of field."""

    kind: Literal["a", "b"]
    inner: Annotated[Inner, Field(alias="within")]
    table: Mapping[str, int] = field(default_factory=dict)
    maybe: float | None = None


@dataclass(frozen=True, slots=True)
class Strict:
    """A record that forbids what it does not know."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    name: str


RECORD = Outer("b", Inner("x", (1.5, 2.0)), {"one": 1})


def test_a_record_comes_back_equal() -> None:
    assert codec.from_json(Outer, json.dumps(codec.to_document(RECORD))) == RECORD


def test_a_field_is_stored_under_its_alias() -> None:
    assert codec.to_document(RECORD) == {
        "kind": "b",
        "within": {"name": "x", "values": (1.5, 2.0)},
        "table": {"one": 1},
        "maybe": None,
    }


def test_unknown_keys_are_passed_over_unless_the_record_forbids_them() -> None:
    assert codec.from_json(Inner, '{"name": "x", "colour": "red"}') == Inner("x")
    with pytest.raises(ValueError, match="colour: Unexpected keyword argument"):
        codec.from_json(Strict, '{"name": "x", "colour": "red"}')


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"kind": "c", "within": {"name": "x"}}, "kind: Input should be 'a' or 'b'"),
        ({"kind": "a", "within": {"name": "x", "values": [1, "two"]}}, "within.values.1: "),
        ({"kind": "a"}, "within: "),
        ([], ""),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line_that_names_the_key(document: Any, words: str) -> None:
    with pytest.raises(ValueError, match=r"Input|Field") as caught:
        codec.from_document(Outer, document)

    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)
