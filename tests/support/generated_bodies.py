"""Bodies that hypothesis makes up: documents, forms, and what becomes of both when they are broken."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from shared.shop.seeded import PASSWORD

small_ids = st.integers(1, 12) | st.integers(998, 1015)
odd_numbers = st.sampled_from(
    [0, -1, 101, 10_000_001, 1_000_001, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 1.0, 1e3, -0.0]
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
clean_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
values: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    odd_numbers,
    texts,
    st.integers(),
    st.just([]),
    st.just({}),
    st.just("a\0b"),
    st.just("x" * 101),
    st.just([None]),
    st.sampled_from(["5", "a@b.cd", "a b@c.de", "user_003"]),
)

items = st.fixed_dictionaries(
    {"name": clean_texts.filter(bool), "price_cents": st.integers(0, 10_000_000)},
    optional={"description": st.none() | clean_texts, "stock": st.integers(0, 1_000_000)},
)
changes = st.fixed_dictionaries(
    {},
    optional={
        "email": st.sampled_from(["a@b.cd", "A@B.CD", "ä@x.yz"]),
        "is_admin": st.booleans(),
        "username": st.sampled_from(["abc", "user_003", "zed"]),
    },
)
users = st.fixed_dictionaries(
    {
        "username": st.from_regex(r"[a-z0-9_]{3,5}", fullmatch=True),
        "email": st.sampled_from(["a@b.cd", "B@b.cd", "b@B.cd", "É@x.yz", "é@x.yz"]),
        "password": st.just("12345678"),
    },
)
lines = st.lists(
    st.fixed_dictionaries({"item_id": small_ids, "quantity": st.integers(1, 3) | st.just(100)}),
    min_size=1,
    max_size=4,
    unique_by=lambda line: str(line["item_id"]),
)
orders = st.fixed_dictionaries({"user_id": small_ids, "lines": lines})
# Of items that don't exist: what is taken later is taken at a moment that differs.
late_orders = st.fixed_dictionaries({"item_id": st.integers(10**6, 10**7), "quantity": st.integers(1, 100)})
reports = st.fixed_dictionaries({"kind": st.sampled_from(["sales", "stock", "Sales", ""])})
DOCUMENTS: dict[str, st.SearchStrategy[Any]] = {
    "item": items,
    "batch": st.fixed_dictionaries({"items": st.lists(items, min_size=1, max_size=3)}),
    "change": changes,
    "user": users,
    "order": orders,
    "late": late_orders,
    "report": reports,
    "login": st.fixed_dictionaries(
        {
            "username": st.sampled_from(["user_003", "user_004", "nobody", "User_003", "ü"]),
            "password": st.sampled_from([PASSWORD, PASSWORD, "wrong", "12345678"]),
        }
    ),
}


@st.composite
def mutated(draw: st.DrawFn, document: Any) -> Any:
    """The document with something dropped, renamed, added, doubled or retyped, at any depth."""
    if isinstance(document, list) and draw(st.integers(0, 3)) == 0:
        return document * 2
    if isinstance(document, list) and document and draw(st.booleans()):
        place = draw(st.integers(0, len(document) - 1))
        return [*document[:place], draw(mutated(document[place])), *document[place + 1 :]]
    if not isinstance(document, dict) or not document:
        return draw(values)
    key = draw(st.sampled_from(sorted(document)))
    rest = {name: value for name, value in document.items() if name != key}
    how = draw(st.sampled_from(["drop", "rename", "add", "retype", "deeper", "whole"]))
    ways: dict[str, Callable[[], Any]] = {
        "rename": lambda: rest | {draw(texts): document[key]},
        "add": lambda: document | {draw(texts): draw(values)},
        "retype": lambda: document | {key: draw(values)},
        "deeper": lambda: document | {key: draw(mutated(document[key]))},
        "whole": lambda: draw(values),
        "drop": lambda: rest,
    }
    return ways[how]()


def valid_bodies(kind: str) -> st.SearchStrategy[bytes]:
    """A body as a route wants it."""
    return st.builds(_written, DOCUMENTS[kind], st.booleans())


def _written(document: Any, escaped: bool) -> bytes:
    return json.dumps(document, ensure_ascii=escaped).encode()


@st.composite
def broken_bodies(draw: st.DrawFn, kind: str) -> bytes:
    """A mutation of a document, a mutation of its bytes, garbage, or about 1 MiB."""
    if draw(st.integers(0, 99)) == 7:
        return b" " * draw(st.sampled_from([1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1])) + b"{}"
    how = draw(st.sampled_from(["mutated", "mutated", "mutated", "cut", "garbage"]))
    if how == "garbage":
        return draw(st.binary(max_size=30))
    document = draw(DOCUMENTS[kind])
    for _ in range(draw(st.integers(1, 2)) if how == "mutated" else 0):
        document = draw(mutated(document))
    text = _written(document, draw(st.booleans()))
    if how != "cut":
        return text
    place = draw(st.integers(0, len(text)))
    inserted = draw(st.sampled_from([b"", b"\xff", b"NaN", b"\\ud800", b",", b"\0", b"[" * 2000, b"1" * 25]))
    return text[:place] + inserted + text[place + draw(st.integers(0, 3)) :]


TABLE = b"x1,x2,x3,x4,x5,x6,x7,x8\r\n"
file_contents = st.sampled_from(
    [
        b"GIF89a" + b"x" * 300,
        b"\x89PNG\r\n\x1a\n" + b"y" * 20,
        b"RIFF....WEBPVP8 ",
        b"<svg/>",
        b"text",
        TABLE + b"1,2,3,4,5,6,7,8\r\n" * 3,
        TABLE + b"1,2,3,4,5,6,7,nan\r\n",
        TABLE,
    ]
)


NAMED = '; filename="a.gif"'
END = b"--part--\r\n"


@st.composite
def valid_forms(draw: st.DrawFn) -> bytes:
    """A form as browsers send it: one file."""
    return _part("file", NAMED, draw(file_contents)) + END


@st.composite
def odd_forms(draw: st.DrawFn) -> bytes:
    """A form that a browser may send: the file is missing, is text, or has others beside it."""
    parts = draw(st.lists(st.sampled_from(["other", "title"]), max_size=2, unique=True))
    given = draw(st.sampled_from(["none", "file", "text"]))
    body = b"".join(_part(name, draw(st.sampled_from([NAMED, ""])), b"text") for name in parts)
    if given != "none":
        body += _part("file", NAMED if given == "file" else "", draw(file_contents))
    return body + END


@st.composite
def broken_forms(draw: st.DrawFn) -> bytes:
    """A form that no browser sends: a part without name or twice, or an end that is missing."""
    parts = [
        _part(draw(st.sampled_from(["file", "file", ""])), '; filename="../\u00fc"', draw(file_contents))
        for _ in range(draw(st.integers(0, 2)))
    ]
    return b"".join(parts) + draw(st.sampled_from([END, b"--part--", b"--part", b""]))


def _part(name: str, filename: str, content: bytes) -> bytes:
    head = f'--part\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n'
    return head.encode() + content + b"\r\n"
