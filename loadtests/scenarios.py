"""Scenarios: what is asked of a server, as `catalog/scenarios.toml` describes it, and the prepared bytes."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from loadtests.entries import POSITIVE, TABLES, TEXT, TEXTS, Key, checked, one_of, read_entries
from loadtests.errors import CatalogError

ITEMS, USERS = 1000, 200  # the seeded rows

REQUEST_KEYS = {
    "weight": Key(POSITIVE, default=1),
    "method": Key(one_of("GET", "POST", "PUT", "PATCH", "DELETE")),
    "path": Key(TEXT),
    "body": Key(TEXT, default=None),
    "status": Key(POSITIVE, default=200),
    "keys": Key(TEXTS),
}
KEYS = {
    "name": Key(TEXT),
    "title": Key(TEXT),
    "question": Key(TEXT),
    "concurrency": Key(POSITIVE, default=16),
    "slice_ms": Key(POSITIVE, default=100),
    "open_slice_ms": Key(POSITIVE, default=None),
    "requests": Key(TABLES),
}


@dataclass(frozen=True, slots=True)
class RequestTemplate:
    """A kind of request, drawn as often as its weight says among those of its scenario.

    path and body hold fields such as `{item_id}`, drawn anew for every prepared request (see FIELDS).
    keys: the top-level keys that the answer's JSON object must have.
    """

    weight: int
    method: str
    path: str
    body: str | None
    status: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A load: its requests, the number of users, and the measured length of one slice.

    open_slice_ms is None for a scenario that is driven in closed loop only.
    """

    name: str
    title: str
    question: str
    requests: tuple[RequestTemplate, ...]
    concurrency: int
    slice_ms: int
    open_slice_ms: int | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A complete HTTP/1.1 request, the status it must be answered with, and the keys of that answer."""

    wire: bytes
    status: int
    keys: tuple[str, ...]


def _lines(count: int) -> Callable[[Random], str]:
    """Order lines of distinct items that are sure to be in stock (ids not divisible by 10)."""

    def draw(rng: Random) -> str:
        items = rng.sample([item for item in range(1, ITEMS + 1) if item % 10], count)
        lines = [{"item_id": item, "quantity": rng.randint(1, 2)} for item in items]
        return json.dumps(lines, separators=(",", ":"))

    return draw


FIELDS: Mapping[str, Callable[[Random], str]] = {
    "item_id": lambda rng: str(rng.randint(1, ITEMS)),
    "user_id": lambda rng: str(rng.randint(1, USERS)),
    "price": lambda rng: str(100 * rng.randint(1, 50)),
    "offset": lambda rng: str(20 * rng.randint(0, 20)),
    "letter": lambda rng: rng.choice("aeinorst"),
    "order_lines": _lines(3),
    "many_lines": _lines(20),
}
FIELD = re.compile(r"\{(\w+)\}")


def load_scenarios(catalog_dir: Path) -> dict[str, Scenario]:
    """All scenarios by name, in the order of the file. Raises CatalogError."""
    path = catalog_dir / "scenarios.toml"
    return {
        name: Scenario(**{**entry, "requests": _templates(entry["requests"], f"{path}: scenario {name}")})
        for name, entry in read_entries(path, "scenario", KEYS).items()
    }


def prepare(scenario: Scenario, seed: int, count: int = 512) -> tuple[Prepared, ...]:
    """`count` requests drawn from the seed; the same for every contestant that is asked."""
    rng = Random(f"{scenario.name}/{seed}")
    weights = [template.weight for template in scenario.requests]
    drawn = rng.choices(scenario.requests, weights, k=count)
    return tuple(Prepared(_wire(template, rng), template.status, template.keys) for template in drawn)


def _wire(template: RequestTemplate, rng: Random) -> bytes:
    head = f"{template.method} {_fill(template.path, rng)} HTTP/1.1\r\nHost: sidebyside\r\n"
    if template.body is None:
        return f"{head}\r\n".encode()
    body = _fill(template.body, rng).encode()
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _fill(text: str, rng: Random) -> str:
    return FIELD.sub(lambda match: FIELDS[match[1]](rng), text)


def _templates(rows: list[dict[str, Any]], where: str) -> tuple[RequestTemplate, ...]:
    return tuple(_template(row, f"{where}: request {number}") for number, row in enumerate(rows, start=1))


def _template(row: dict[str, Any], where: str) -> RequestTemplate:
    entry = checked(row, REQUEST_KEYS, where)
    for field in FIELD.findall(entry["path"] + (entry["body"] or "")):
        if field not in FIELDS:
            raise CatalogError(f"{where}: unknown field {{{field}}}; the fields are {', '.join(FIELDS)}")
    if not entry["path"].startswith("/"):
        raise CatalogError(f"{where}: path is {entry['path']!r}; begin it with a slash")
    return RequestTemplate(**{**entry, "keys": tuple(entry["keys"])})
