"""A probe of a popular mistake: the answer is given now and the stock taken later, without looking again."""

from functools import partial
from typing import Any

from flask import Blueprint
from sqlalchemy.orm import Session, sessionmaker

from flask_app import api
from flask_app.cache import ItemCache
from flask_app.database import db
from flask_app.resources import shop
from flask_app.schemas.late_orders import LateOrderIn, LateQuery, LateTallyOut, Promised
from shared.shop import late_orders, rules, statements
from shared.shop.rules import Wanted
from shared.shop.tables import Item, LateTally

bp = Blueprint("late_orders", __name__, url_prefix="/api/probe/late-orders")


@bp.post("")
@api.query(LateQuery)
@api.body(LateOrderIn)
@api.response(Promised, 202)
@api.problems(404, 409)
def promise(query: dict[str, Any], order: dict[str, Any]) -> dict[str, Any]:
    """The mistake on purpose: promise what is in stock now, take it later without looking again."""
    wanted, delay_ms = Wanted(**order), query["delay_ms"]
    late_orders.promise(rules.found(db().get(Item, wanted.item_id), "item"), wanted.quantity)
    db().execute(statements.accept_late(*wanted))
    db().commit()
    shop().background.later(delay_ms / 1000, partial(take, shop().sessions, shop().item_cache, wanted))
    return {"accepted": True, "delay_ms": delay_ms}


@bp.get("/<id:item_id>")
@api.response(LateTallyOut)
@api.problems(404)
def count_promises(item_id: int) -> LateTally:
    """How many pieces of an item were promised, taken later, and not there any more."""
    rules.found(db().get(Item, item_id), "item")
    return db().get(LateTally, item_id) or late_orders.nothing(item_id)


def take(opened_by: sessionmaker[Session], cache: ItemCache, wanted: Wanted) -> None:
    """Takes what was promised. An item that was deleted meanwhile took its tally with it."""
    with opened_by.begin() as session:
        item = session.scalar(statements.item_for_update(wanted.item_id))
        tally = session.scalar(statements.late_tally_for_update(wanted.item_id))
        if item is not None and tally is not None:
            late_orders.take(item, tally, wanted.quantity)
    cache.forget([wanted.item_id])
