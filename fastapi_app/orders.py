"""Orders: what users bought."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from sqlalchemy import Select

from fastapi_app.api import Id, IdempotencyKey, ShopRoute
from fastapi_app.auth import SignedIn
from fastapi_app.database import Db
from fastapi_app.pages import read_page
from fastapi_app.resources import Shop
from fastapi_app.schemas.base import Page
from fastapi_app.schemas.orders import OrderIn, OrderOut, OrderQuery
from shared.shop import rules, statements
from shared.shop.callers import Caller
from shared.shop.limits import now
from shared.shop.rules import Wanted
from shared.shop.tables import Answer, Order

router = APIRouter(prefix="/api/orders", tags=["orders"], route_class=ShopRoute)


@router.get("", response_model=Page[OrderOut])
async def list_orders(caller: SignedIn, query: Annotated[OrderQuery, Query()], db: Db) -> dict[str, Any]:
    """A page of one's own orders; for admins those of all users, or of one."""
    return await read_page(db, partial(_own_orders, caller), query)


@router.post("", response_model=OrderOut, status_code=201, responses={404: {}, 409: {}})
async def create_order(
    caller: SignedIn, fields: OrderIn, db: Db, shop: Shop, idempotency_key: IdempotencyKey = None
) -> Response:
    """Place an order: takes the stock of every line, or refuses all."""
    lines = [Wanted(line.item_id, line.quantity) for line in fields.lines]
    rules.each_item_once(lines)
    caller.may_touch(fields.user_id)
    answer = await _claim(db, fields.user_id, idempotency_key, lines)
    if answer is not None and answer.body is not None:
        return created(answer.body, answer.order_id)
    return await _place(db, shop, fields.user_id, lines, answer)


@router.get("/{order_id:id}", response_model=OrderOut, responses={404: {}})
async def read_order(caller: SignedIn, order_id: Id, db: Db) -> Order:
    """Read an order."""
    order = rules.found(await db.get(Order, order_id), "order")
    caller.may_touch(order.user_id)
    return order


@router.post("/{order_id:id}/cancel", response_model=OrderOut, responses={404: {}, 409: {}})
async def cancel_order(caller: SignedIn, order_id: Id, db: Db, shop: Shop) -> Order:
    """Cancel an order and put its stock back."""
    order = rules.found(await db.scalar(statements.order_for_update(order_id)), "order")
    caller.may_touch(order.user_id)
    items = (await db.scalars(statements.items_for_update(line.item_id for line in order.lines))).all()
    rules.cancel(order, items)
    await db.commit()
    await shop.item_cache.forget(line.item_id for line in order.lines)
    await shop.publisher.publish(items)
    return order


def created(body: bytes, order_id: int | None) -> Response:
    """The answer to a new order, or to one that is repeated."""
    return Response(body, 201, {"Location": f"/api/orders/{order_id}"}, media_type="application/json")


def _own_orders(caller: Caller, user_id: int | None = None) -> Select[Order]:
    return statements.orders(user_id=rules.whose_orders(user_id, caller))


async def _place(db: Db, shop: Shop, user_id: int, lines: list[Wanted], answer: Answer | None) -> Response:
    """Takes the stock, keeps the answer under its key if it has one, and tells who has to know."""
    items = (await db.scalars(statements.items_for_update(line.item_id for line in lines))).all()
    order = rules.place_order(user_id, lines, items, now())
    db.add(order)
    await db.flush()
    body = OrderOut.model_validate(order).model_dump_json().encode()
    if answer is not None:
        answer.order_id, answer.body = order.id, body
    await db.commit()
    await shop.item_cache.forget(line.item_id for line in lines)
    await shop.publisher.publish(items)
    return created(body, order.id)


async def _claim(db: Db, user_id: int, key: str | None, lines: list[Wanted]) -> Answer | None:
    """The row under a user's key: ours to fill, or with the first answer in it. None where no key is given."""
    if key is None:
        return None
    fingerprint = rules.fingerprint(user_id, lines)
    mine = await db.scalar(statements.claim_key(user_id, key, fingerprint))
    answer = (await db.scalars(statements.answer_to(user_id, key))).one()
    return answer if mine else rules.first_answer(answer, fingerprint)
