"""Scenarios: what is asked of a server, as `catalog/scenarios.toml` describes it, and the prepared bytes."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from loadtests.entries import (
    FLAG,
    POSITIVE,
    TABLES,
    TEXT,
    TEXT_TABLE,
    TEXTS,
    Key,
    checked,
    one_of,
    read_entries,
)
from loadtests.errors import CatalogError
from loadtests.websocket import TEXT as TEXT_FRAME
from loadtests.websocket import frame
from shared.seeded import ITEMS, USERS
from shared.settings import DEVELOPMENT_SECRET
from shared.tokens import Caller, issue_token

POPULAR_ITEMS = 5  # those that everybody looks at
ADMIN_ID = 1
# Tokens that are the same in every run, for servers that are started for development.
_ISSUED, _VALID_FOR = datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=36_500)
_SERIAL, _UNIQUE = b"%016d", "#" * 16

# What a request is: an HTTP request, or a message over a WebSocket to the path, answered by its echo.
KINDS = ("http", "websocket")

REQUEST_KEYS = {
    "weight": Key(POSITIVE, default=1),
    "method": Key(one_of("GET", "POST", "PUT", "PATCH", "DELETE")),
    "path": Key(TEXT),
    "headers": Key(TEXT_TABLE, default={}),
    "body": Key(TEXT, default=None),
    "status": Key(POSITIVE, default=200),
    "json": Key(FLAG, default=True),
    "keys": Key(TEXTS, default=None),
}
KEYS = {
    "name": Key(TEXT),
    "title": Key(TEXT),
    "question": Key(TEXT),
    "kind": Key(one_of(*KINDS), default="http"),
    "concurrency": Key(POSITIVE, default=16),
    "slice_ms": Key(POSITIVE, default=100),
    "open_slice_ms": Key(POSITIVE, default=None),
    "setup": Key(TABLES, default=[]),
    "requests": Key(TABLES),
}


@dataclass(frozen=True, slots=True)
class RequestTemplate:
    """A kind of request, drawn as often as its weight says among those of its scenario.

    path, headers and body hold fields such as `{item_id}`, drawn anew for every prepared request (see FIELDS); one that
    stands in several places of a request is the same in all of them. A body is JSON unless a header says otherwise.
    json: whether the answer's body must be JSON; keys: the top-level keys that this object must have.
    """

    weight: int
    method: str
    path: str
    body: str | None
    status: int
    keys: tuple[str, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    json: bool = True


@dataclass(frozen=True, slots=True)
class Scenario:
    """A load: its requests, the number of users, and the measured length of one slice.

    setup: what every server is asked once, in this order, before the first slice of the scenario.
    open_slice_ms is None for a scenario that is driven in closed loop only. kind: see KINDS.
    """

    name: str
    title: str
    question: str
    requests: tuple[RequestTemplate, ...]
    concurrency: int
    slice_ms: int
    open_slice_ms: int | None
    setup: tuple[RequestTemplate, ...] = ()
    kind: str = "http"

    @property
    def socket_path(self) -> str | None:
        """Where its WebSockets are opened; None when it has none."""
        return self.requests[0].path if self.kind == "websocket" else None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A complete HTTP/1.1 request, the status it must be answered with, and what the answer's body must be.

    serials: where in `wire` the 16 digits stand that are to be new whenever it is sent.
    """

    wire: bytes
    status: int
    keys: tuple[str, ...]
    json: bool = True
    serials: tuple[int, ...] = ()

    def numbered(self, serial: int) -> bytes:
        """The request as it is sent, with that number wherever it wants a new one."""
        wire = bytearray(self.wire)
        for position in self.serials:
            wire[position : position + 16] = _SERIAL % serial
        return bytes(wire)


def _lines(count: int) -> Callable[[Random], str]:
    """Order lines of distinct items that are sure to be in stock (ids not divisible by 10)."""

    def draw(rng: Random) -> str:
        items = rng.sample([item for item in range(1, ITEMS + 1) if item % 10], count)
        lines = [{"item_id": item, "quantity": rng.randint(1, 2)} for item in items]
        return _compact(lines)

    return draw


def _new_item(rng: Random) -> dict[str, Any]:
    """An item as it is sent to be created."""
    return {
        "name": f"Crate {rng.randint(1000, 9999)}",
        "description": rng.choice([None, "One of many, each like the other."]),
        "price_cents": 100 * rng.randint(10, 99),
        "stock": rng.randint(100, 999),
    }


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


@cache
def _token(user_id: int, *, is_admin: bool) -> str:
    return issue_token(Caller(user_id, is_admin), DEVELOPMENT_SECRET, _ISSUED, _VALID_FOR)


def admin_header() -> dict[str, str]:
    """The header that speaks for an admin, to servers that are started for development."""
    return {"Authorization": f"Bearer {_token(ADMIN_ID, is_admin=True)}"}


FIELDS: Mapping[str, Callable[[Random], str]] = {
    "item_id": lambda rng: str(rng.randint(1, ITEMS)),
    "stocked_item_id": lambda rng: str(10 * rng.randint(0, ITEMS // 10 - 1) + rng.randint(1, 9)),
    "popular_item_id": lambda rng: str(rng.randint(1, POPULAR_ITEMS)),
    "user_id": lambda rng: str(rng.randint(1, USERS)),
    "username": lambda rng: f"user_{rng.randint(1, USERS):03d}",
    "price": lambda rng: str(100 * rng.randint(1, 50)),
    "offset": lambda rng: str(20 * rng.randint(0, 20)),
    "letter": lambda rng: rng.choice("aeinorst"),
    "order_lines": _lines(3),
    "many_lines": _lines(20),
    "new_item": lambda rng: _compact(_new_item(rng)),
    "item_batch": lambda rng: _compact([_new_item(rng) for _ in range(20)]),
    "admin_token": lambda _: _token(ADMIN_ID, is_admin=True),
    "feature_rows": lambda rng: "".join(
        ",".join(f"{rng.uniform(-3, 3):.3f}" for _ in range(8)) + "\r\n" for _ in range(200)
    ),
    "gif": lambda rng: "GIF89a" + "".join(rng.choices("abcdefgh", k=20_000)),
    "unique": lambda _: _UNIQUE,
}
# Fields that follow from another one of the same request.
DERIVED: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "user_token": ("user_id", lambda user_id: _token(int(user_id), is_admin=int(user_id) == ADMIN_ID)),
}
FIELD = re.compile(r"\{(\w+)\}")


def load_scenarios(catalog_dir: Path) -> dict[str, Scenario]:
    """All scenarios by name, in the order of the file. Raises CatalogError."""
    path = catalog_dir / "scenarios.toml"
    return {
        name: _checked(Scenario(**{**entry, **_requests(entry, f"{path}: scenario {name}")}), path)
        for name, entry in read_entries(path, "scenario", KEYS).items()
    }


def _checked(scenario: Scenario, path: Path) -> Scenario:
    """The scenario, if its sockets all go one way and every message says something."""
    if scenario.kind == "websocket":
        bodies = [request.body for request in scenario.requests]
        if len({request.path for request in scenario.requests}) > 1 or not all(bodies):
            where = f"{path}: scenario {scenario.name}"
            raise CatalogError(f"{where}: give all messages the same path, and a body each")
    return scenario


def prepare(scenario: Scenario, seed: int, count: int = 512) -> tuple[Prepared, ...]:
    """`count` requests drawn from the seed; the same for every contestant that is asked."""
    rng = Random(f"{scenario.name}/{seed}")
    weights = [template.weight for template in scenario.requests]
    drawn = rng.choices(scenario.requests, weights, k=count)
    make = _message if scenario.kind == "websocket" else _prepared
    return tuple(make(template, rng) for template in drawn)


def prepare_setup(scenario: Scenario, seed: int) -> tuple[Prepared, ...]:
    """What a server is asked before the scenario's first slice, each request once."""
    rng = Random(f"{scenario.name}/{seed}/setup")
    return tuple(_prepared(template, rng) for template in scenario.setup)


def _prepared(template: RequestTemplate, rng: Random) -> Prepared:
    wire = _wire(template, _Fields(rng))
    serials = tuple(found.start() for found in re.finditer(_UNIQUE.encode(), wire))
    return Prepared(wire, template.status, template.keys, template.json, serials)


def _message(template: RequestTemplate, rng: Random) -> Prepared:
    """A request that is a message: its body as a text frame."""
    text = _fill(template.body or "", _Fields(rng)).encode()
    wire = frame(TEXT_FRAME, text, rng.randbytes(4))
    return Prepared(wire, template.status, template.keys, template.json)


class _Fields(dict[str, str]):
    """The fields of one request, drawn when they are first asked for."""

    def __init__(self, rng: Random) -> None:
        super().__init__()
        self._rng = rng

    def __missing__(self, name: str) -> str:
        if name in DERIVED:
            source, derive = DERIVED[name]
            self[name] = derive(self[source])
        else:
            self[name] = FIELDS[name](self._rng)
        return self[name]


def _wire(template: RequestTemplate, fields: _Fields) -> bytes:
    head = f"{template.method} {_fill(template.path, fields)} HTTP/1.1\r\nHost: sidebyside\r\n"
    headers = {name: _fill(value, fields) for name, value in template.headers.items()}
    body = b""
    if template.body is not None:
        body = _fill(template.body, fields).encode()
        headers = {"Content-Type": "application/json", **headers, "Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{head}{lines}\r\n".encode() + body


def _fill(text: str, fields: _Fields) -> str:
    return FIELD.sub(lambda match: fields[match[1]], text)


def _requests(entry: dict[str, Any], where: str) -> dict[str, tuple[RequestTemplate, ...]]:
    return {
        "setup": _templates(entry["setup"], f"{where}: setup"),
        "requests": _templates(entry["requests"], where),
    }


def _templates(rows: list[dict[str, Any]], where: str) -> tuple[RequestTemplate, ...]:
    return tuple(_template(row, f"{where}: request {number}") for number, row in enumerate(rows, start=1))


def _template(row: dict[str, Any], where: str) -> RequestTemplate:
    entry = checked(row, REQUEST_KEYS, where)
    known = (*FIELDS, *DERIVED)
    for name in FIELD.findall("".join((entry["path"], *entry["headers"].values(), entry["body"] or ""))):
        if name not in known:
            raise CatalogError(f"{where}: unknown field {{{name}}}; the fields are {', '.join(known)}")
    if entry["json"] and entry["keys"] is None:
        raise CatalogError(f"{where}: keys is missing; add keys, or json = false if the answer is no JSON")
    if not entry["path"].startswith("/"):
        raise CatalogError(f"{where}: path is {entry['path']!r}; begin it with a slash")
    return RequestTemplate(**{**entry, "keys": tuple(entry["keys"] or ())})
