"""Orders: what users bought."""

from typing import Any

import orjson
from flask import Blueprint, Response, request
from sqlalchemy import Select

from flask_app import api, auth
from flask_app.database import db
from flask_app.pages import read_page
from flask_app.resources import shop
from flask_app.schemas.orders import OrderIn, OrderOut, OrderPage, OrderQuery
from shared.shop import rules, statements
from shared.shop.limits import now
from shared.shop.rules import Wanted
from shared.shop.tables import Answer, Order

bp = Blueprint("orders", __name__, url_prefix="/api/orders")
order_out = OrderOut()


@bp.get("")
@auth.signed_in
@api.query(OrderQuery)
@api.response(OrderPage)
def list_orders(query: dict[str, Any]) -> dict[str, Any]:
    """A page of one's own orders; for admins those of all users, or of one."""
    return read_page(_own_orders, query)


@bp.post("")
@auth.signed_in
@api.body(OrderIn)
@api.idempotent
@api.response(OrderOut, 201)
@api.problems(404, 409)
def create_order(fields: dict[str, Any]) -> Response:
    """Place an order: takes the stock of every line, or refuses all."""
    user_id, lines = fields["user_id"], [Wanted(**line) for line in fields["lines"]]
    rules.each_item_once(lines)
    auth.caller().may_touch(user_id)
    key = rules.idempotency_key(request.headers.getlist("Idempotency-Key"))
    answer = _claim(user_id, key, lines)
    if answer is not None and answer.body is not None:
        return created(answer.body, answer.order_id)
    return _place(user_id, lines, answer)


@bp.get("/<id:order_id>")
@auth.signed_in
@api.response(OrderOut)
@api.problems(404)
def read_order(order_id: int) -> Order:
    """Read an order."""
    order = rules.found(db().get(Order, order_id), "order")
    auth.caller().may_touch(order.user_id)
    return order


@bp.post("/<id:order_id>/cancel")
@auth.signed_in
@api.response(OrderOut)
@api.problems(404, 409)
def cancel_order(order_id: int) -> Order:
    """Cancel an order and put its stock back."""
    order = rules.found(db().scalar(statements.order_for_update(order_id)), "order")
    auth.caller().may_touch(order.user_id)
    items = db().scalars(statements.items_for_update(line.item_id for line in order.lines)).all()
    rules.cancel(order, items)
    db().commit()
    shop().item_cache.forget(line.item_id for line in order.lines)
    shop().publisher.publish(items)
    return order


def created(body: bytes, order_id: int | None) -> Response:
    """The answer to a new order, or to one that is repeated."""
    return api.json_response(body, 201, {"Location": f"/api/orders/{order_id}"})


def _own_orders(user_id: int | None = None) -> Select[Order]:
    return statements.orders(user_id=rules.whose_orders(user_id, auth.caller()))


def _place(user_id: int, lines: list[Wanted], answer: Answer | None) -> Response:
    """Takes the stock, keeps the answer under its key if it has one, and tells who has to know."""
    items = db().scalars(statements.items_for_update(line.item_id for line in lines)).all()
    order = rules.place_order(user_id, lines, items, now())
    db().add(order)
    db().flush()
    body = orjson.dumps(order_out.dump(order))
    if answer is not None:
        answer.order_id, answer.body = order.id, body
    db().commit()
    shop().item_cache.forget(line.item_id for line in lines)
    shop().publisher.publish(items)
    return created(body, order.id)


def _claim(user_id: int, key: str | None, lines: list[Wanted]) -> Answer | None:
    """The row under a user's key: ours to fill, or with the first answer in it. None where no key is given."""
    if key is None:
        return None
    fingerprint = rules.fingerprint(user_id, lines)
    mine = db().scalar(statements.claim_key(user_id, key, fingerprint))
    answer = db().scalars(statements.answer_to(user_id, key)).one()
    return answer if mine else rules.first_answer(answer, fingerprint)
