"""Scenarios: the requests sent to a server, as `catalog/scenarios.toml` describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import gcd
from pathlib import Path
from typing import Any

from loadtests.config.entries import (
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
from loadtests.config.fields import DERIVED, FIELD, FIELDS
from loadtests.errors import CatalogError

USUAL_SLICE_MS = 150
# What a request is: an HTTP request, or a message over a WebSocket to the path, answered by its echo.
KINDS = ("http", "websocket")
# What its requests leave behind: nothing, rows, or more items. In a round, scenarios that leave less come first.
WRITES = ("nothing", "rows", "items")

REQUEST_KEYS = {
    "weight": Key(POSITIVE, default=1),
    "method": Key(one_of("GET", "POST", "PUT", "PATCH", "DELETE")),
    "path": Key(TEXT),
    "headers": Key(TEXT_TABLE, default={}),
    "body": Key(TEXT, default=None),
    "status": Key(POSITIVE, default=200),
    "json": Key(FLAG, default=True),
    "keys": Key(TEXTS, default=None),
    "varies": Key(TEXTS, default=[]),
}
KEYS = {
    "name": Key(TEXT),
    "title": Key(TEXT),
    "question": Key(TEXT),
    "kind": Key(one_of(*KINDS), default="http"),
    "concurrency": Key(POSITIVE, default=16),
    "slice_ms": Key(POSITIVE, default=USUAL_SLICE_MS),
    "slices_percent": Key(POSITIVE, default=100),
    "open_slice_ms": Key(POSITIVE, default=None),
    "waits": Key(FLAG, default=False),
    "writes": Key(one_of(*WRITES), default="nothing"),
    "setup": Key(TABLES, default=[]),
    "requests": Key(TABLES),
}


@dataclass(frozen=True, slots=True)
class RequestTemplate:
    """A kind of request, drawn as often as its weight says among those of its scenario.

    path, headers and body hold fields such as `{item_id}`, drawn for every prepared request (see FIELDS); one that
    stands in several places of a request is the same in all of them. A body is JSON unless a header says otherwise.
    json: whether the answer's body must be JSON; keys: the top-level keys that this object must have. varies: what of
    it may differ from another server's answer to the same request, as JSON pointers in which a part may be `*`.
    """

    weight: int
    method: str
    path: str
    body: str | None
    status: int
    keys: tuple[str, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    json: bool = True
    varies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """A load: its requests, the number of users, and the measured length of one slice.

    slice_ms: how long a closed slice takes the slowest server; its number of requests follows from that. open_slice_ms:
    how long an open one is at least; None for a scenario that is driven in closed loop only. setup: requests sent to
    every server once, in this order, before the first slice of the scenario. kind, writes: see KINDS, WRITES.
    slices_percent: how many closed slices a round has of it, compared with other scenarios.
    waits: its requests wait for something slow, so that its figures say how many a server lets wait at once, not what
    a request costs.
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
    slices_percent: int = 100
    waits: bool = False
    writes: str = "nothing"

    @property
    def cycle(self) -> int:
        """The number of requests after which its mix repeats: every slice is a multiple of it."""
        weights = [request.weight for request in self.requests]
        return sum(weights) // gcd(*weights)

    @property
    def socket_path(self) -> str | None:
        """Where its WebSockets are opened; None when it has none."""
        return self.requests[0].path if self.kind == "websocket" else None


def load_scenarios(catalog_dir: Path) -> dict[str, Scenario]:
    """All scenarios by name, in the order of the file. Raises CatalogError."""
    path = catalog_dir / "scenarios.toml"
    return {
        name: _checked(Scenario(**{**entry, **_requests(entry, f"{path}: scenario {name}")}), path)
        for name, entry in read_entries(path, "scenario", KEYS).items()
    }


def _checked(scenario: Scenario, path: Path) -> Scenario:
    """The scenario, if all its messages have the same path and none is empty."""
    if scenario.kind == "websocket":
        bodies = [request.body for request in scenario.requests]
        if len({request.path for request in scenario.requests}) > 1 or not all(bodies):
            where = f"{path}: scenario {scenario.name}"
            raise CatalogError(f"{where}: give all messages the same path, and each a body")
    return scenario


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
        raise CatalogError(f"{where}: keys is missing; add keys, or json = false if the response is not JSON")
    if not entry["path"].startswith("/"):
        raise CatalogError(f"{where}: path is {entry['path']!r}; start it with a slash")
    for pointer in entry["varies"]:
        if pointer != "*" and not pointer.startswith("/"):
            raise CatalogError(
                f"{where}: varies has {pointer!r}; write pointers such as /items/*/id, or * alone"
            )
    return RequestTemplate(**{**entry, "keys": tuple(entry["keys"] or ()), "varies": tuple(entry["varies"])})
