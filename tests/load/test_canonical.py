"""Equal answers are equal texts, and what may differ is blanked, no more."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.load.canonical import canonical, unpacked

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_a_body_means_the_same_in_its_canonical_form(value: object) -> None:
    body = json.dumps(value, indent=1).encode()

    assert json.loads(canonical(body)) == value
    assert canonical(canonical(body)) == canonical(body)


def test_order_of_keys_spaces_and_escapes_do_not_matter() -> None:
    assert canonical(b'{"b": [1, 2], "a": "\\u00e4"}') == canonical('{"a":"ä","b":[1,2]}'.encode())


@pytest.mark.parametrize(
    ("varies", "text"),
    [
        ((), '{"id":7,"items":[{"stock":1},{"stock":2}]}'),
        (("/id",), '{"id":"*","items":[{"stock":1},{"stock":2}]}'),
        (("/items/*/stock",), '{"id":7,"items":[{"stock":"*"},{"stock":"*"}]}'),
        (("/items/1/stock",), '{"id":7,"items":[{"stock":1},{"stock":"*"}]}'),
        (("/items", "/id"), '{"id":"*","items":"*"}'),
        (("/price", "/id/deeper", "/items/9"), '{"id":7,"items":[{"stock":1},{"stock":2}]}'),
        (("*",), "*"),
    ],
)
def test_what_varies_is_blanked_and_the_rest_is_kept(varies: tuple[str, ...], text: str) -> None:
    body = b'{"items":[{"stock":1},{"stock":2}],"id":7}'

    assert canonical(body, varies).decode() == text


def test_a_key_that_is_missing_still_shows_where_it_may_vary() -> None:
    assert canonical(b'{"id":1}', ["/id"]) != canonical(b"{}", ["/id"])


def test_a_key_with_a_slash_is_named_by_its_escape() -> None:
    assert canonical(b'{"a/b":1,"c~d":2}', ["/a~1b", "/c~0d"]) == b'{"a/b":"*","c~d":"*"}'


def test_what_is_not_json_stays_as_it_is() -> None:
    assert canonical(b'{ "a": 1 }', is_json=False) == b'{ "a": 1 }'
    assert canonical(b"pong", ["/id"]) == b"pong"


def test_compressed_bodies_are_unpacked_and_broken_ones_are_not() -> None:
    packed = gzip.compress(b'{"a": 1}')

    assert canonical(packed) == b'{"a":1}'
    assert unpacked(packed[:-5]) == packed[:-5]
