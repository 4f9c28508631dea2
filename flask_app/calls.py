"""Calling others: the partner service, once or many times over."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint

from flask_app import api
from flask_app.partner import Partner
from flask_app.resources import shop
from flask_app.schemas.calls import Called, CallQuery, FannedOut, FanOutQuery
from shared.shop.errors import Unavailable
from shared.shop.partner import wish, wishes

bp = Blueprint("partner", __name__, url_prefix="/api/partner")


@bp.get("/one")
@api.query(CallQuery)
@api.response(Called)
@api.problems(502, 503, 504)
def call_once(query: dict[str, Any]) -> Mapping[str, Any]:
    """Call the partner once."""
    return _partner().call(wish(**query))


@bp.get("/many")
@api.query(FanOutQuery)
@api.response(FannedOut)
@api.problems(502, 503, 504)
def call_often(query: dict[str, Any]) -> dict[str, Any]:
    """Call the partner n times at once."""
    return {"calls": _partner().call_all(wishes(**query)), "n": query["n"]}


def _partner() -> Partner:
    """The partner; raises Unavailable when none was named."""
    partner = shop().partner
    if partner is None:
        raise Unavailable("partner")
    return partner
