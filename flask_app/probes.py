"""Small endpoints that the experiments need."""

import os
import time
from typing import Any

from flask import Blueprint

from flask_app import api
from flask_app.resources import shop
from flask_app.schemas.orders import OrderIn
from flask_app.schemas.probes import (
    BurnQuery,
    Burnt,
    ComputedItems,
    CountQuery,
    EchoOut,
    Pong,
    Requests,
    Slept,
    WaitQuery,
)
from shared.shop import rules
from shared.shop.rules import Wanted

bp = Blueprint("probes", __name__, url_prefix="/api/probe")


@bp.get("/ping")
@api.response(Pong)
def ping() -> dict[str, str]:
    """The framework's floor."""
    return {"message": "pong"}


@bp.get("/json")
@api.query(CountQuery)
@api.response(ComputedItems)
def compute_json(query: dict[str, Any]) -> dict[str, Any]:
    """Serialisation: computed items, no database."""
    return {"items": rules.computed_items(query["n"])}


@bp.post("/echo")
@api.body(OrderIn)
@api.response(EchoOut)
def echo(order: dict[str, Any]) -> dict[str, Any]:
    """Validation: an order-shaped body comes back."""
    rules.each_item_once([Wanted(**line) for line in order["lines"]])
    return order


@bp.get("/sleep")
@api.query(WaitQuery)
@api.response(Slept)
def sleep(query: dict[str, Any]) -> dict[str, Any]:
    """Waiting the way this app's concurrency model should: a thread, or a greenlet under gevent."""
    time.sleep(query["ms"] / 1000)
    return query


@bp.get("/blocking")
@api.query(WaitQuery)
@api.response(Slept)
def blocking(query: dict[str, Any]) -> dict[str, Any]:
    """The beginner's mistake, which is none here: in a WSGI app `time.sleep` is how one waits."""
    time.sleep(query["ms"] / 1000)
    return query


@bp.get("/cpu")
@api.query(BurnQuery)
@api.response(Burnt)
def burn(query: dict[str, Any]) -> dict[str, Any]:
    """CPU time spent in Python."""
    return {"result": rules.burn(query["n"])}


@bp.get("/requests")
@api.response(Requests)
def count_requests() -> dict[str, int]:
    """How many requests this server has begun, in all its workers, this one included."""
    return {"pid": os.getpid(), "requests": shop().request_counter.value}
