"""Orders: what users bought."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from fastapi_app.api import Id, IdempotencyKeys, StrictRoute
from fastapi_app.database import Db
from fastapi_app.pages import read_page
from fastapi_app.schemas.base import Page
from fastapi_app.schemas.orders import OrderIn, OrderOut, OrderQuery
from shared import rules, statements
from shared.limits import now
from shared.rules import Wanted
from shared.tables import Answer, Order

router = APIRouter(prefix="/api/orders", tags=["orders"], route_class=StrictRoute)


@router.get("", response_model=Page[OrderOut])
async def list_orders(query: Annotated[OrderQuery, Query()], db: Db) -> dict[str, Any]:
    """A page of orders, of all users or of one."""
    return await read_page(db, statements.orders, query)


@router.post("", response_model=OrderOut, status_code=201, responses={404: {}, 409: {}})
async def create_order(fields: OrderIn, db: Db, keys: IdempotencyKeys) -> Response:
    """Place an order: takes the stock of every line, or refuses all."""
    lines = [Wanted(line.item_id, line.quantity) for line in fields.lines]
    rules.each_item_once(lines)
    key = rules.idempotency_key(keys)
    answer = await _claim(db, key, rules.fingerprint(fields.user_id, lines)) if key else None
    if answer is not None and answer.body is not None:
        return _created(answer.body, answer.order_id)
    order = await _place(db, fields.user_id, lines)
    body = OrderOut.model_validate(order).model_dump_json().encode()
    if answer is not None:
        answer.order_id, answer.body = order.id, body
    await db.commit()
    return _created(body, order.id)


@router.get("/{order_id:id}", response_model=OrderOut, responses={404: {}})
async def read_order(order_id: Id, db: Db) -> Order:
    """Read an order."""
    return rules.found(await db.get(Order, order_id), "order")


@router.post("/{order_id:id}/cancel", response_model=OrderOut, responses={404: {}, 409: {}})
async def cancel_order(order_id: Id, db: Db) -> Order:
    """Cancel an order and put its stock back."""
    order = rules.found(await db.scalar(statements.order_for_update(order_id)), "order")
    items = (await db.scalars(statements.items_for_update(line.item_id for line in order.lines))).all()
    rules.cancel(order, items)
    await db.commit()
    return order


async def _place(db: Db, user_id: int, lines: list[Wanted]) -> Order:
    items = (await db.scalars(statements.items_for_update(line.item_id for line in lines))).all()
    order = rules.place_order(user_id, lines, items, now())
    db.add(order)
    await db.flush()
    return order


async def _claim(db: Db, key: str, fingerprint: bytes) -> Answer:
    """The row under a key: ours to fill, or with the first answer in it."""
    mine = await db.scalar(statements.claim_key(key, fingerprint))
    answer = (await db.scalars(statements.answer_to(key))).one()
    return answer if mine else rules.first_answer(answer, fingerprint)


def _created(body: bytes, order_id: int | None) -> Response:
    return Response(body, 201, {"Location": f"/api/orders/{order_id}"}, media_type="application/json")
