"""The other model, SHOP_VIEWS=async: item reads, item lists and new orders as coroutines on an async session."""

from contextlib import AbstractAsyncContextManager
from typing import Any, cast

import orjson
from flask import Flask, Response, request
from sqlalchemy.ext.asyncio import AsyncSession

from flask_app import api, auth
from flask_app.async_database import AsyncSessions
from flask_app.conditional import tagged
from flask_app.orders import created, order_out
from flask_app.resources import shop
from flask_app.schemas.items import ItemOut, ItemPage, ItemQuery
from flask_app.schemas.orders import OrderIn, OrderOut
from shared.shop import rules, statements
from shared.shop.limits import now
from shared.shop.rules import Wanted
from shared.shop.tables import Answer, Item


def init_app(app: Flask) -> None:
    """Puts the coroutines in the place of the usual views."""
    app.view_functions |= {
        "items.list_items": list_items,
        "items.read_item": read_item,
        "orders.create_order": create_order,
    }


@tagged
@api.query(ItemQuery)
@api.response(ItemPage)
async def list_items(query: dict[str, Any]) -> dict[str, Any]:
    """A page of items, filtered and sorted."""
    limit, offset = query.pop("limit"), query.pop("offset")
    rows = statements.items(**query)
    async with _session() as db:
        items = (await db.scalars(rows.limit(limit).offset(offset))).all()
        total = await db.scalar(statements.count(rows))
    return {"items": items, "total": total, "limit": limit, "offset": offset}


@tagged
@api.response(ItemOut)
@api.problems(404)
async def read_item(item_id: int) -> Item:
    """Read an item."""
    async with _session() as db:
        return rules.found(await db.get(Item, item_id), "item")


@auth.signed_in
@api.body(OrderIn)
@api.idempotent
@api.response(OrderOut, 201)
@api.problems(404, 409)
async def create_order(fields: dict[str, Any]) -> Response:
    """Place an order: takes the stock of every line, or refuses all."""
    user_id, lines = fields["user_id"], [Wanted(**line) for line in fields["lines"]]
    rules.each_item_once(lines)
    auth.caller().may_touch(user_id)
    key = rules.idempotency_key(request.headers.getlist("Idempotency-Key"))
    async with _session() as db:
        answer = await _claim(db, user_id, key, lines)
        if answer is not None and answer.body is not None:
            return created(answer.body, answer.order_id)
        return await _place(db, user_id, lines, answer)


async def _place(db: AsyncSession, user_id: int, lines: list[Wanted], answer: Answer | None) -> Response:
    """Takes the stock, keeps the answer under its key if it has one, and tells who has to know."""
    items = (await db.scalars(statements.items_for_update(line.item_id for line in lines))).all()
    order = rules.place_order(user_id, lines, items, now())
    db.add(order)
    await db.flush()
    body = orjson.dumps(order_out.dump(order))
    if answer is not None:
        answer.order_id, answer.body = order.id, body
    await db.commit()
    shop().item_cache.forget(line.item_id for line in lines)
    shop().publisher.publish(items)
    return created(body, order.id)


async def _claim(db: AsyncSession, user_id: int, key: str | None, lines: list[Wanted]) -> Answer | None:
    """The row under a user's key: ours to fill, or with the first answer in it. None where no key is given."""
    if key is None:
        return None
    fingerprint = rules.fingerprint(user_id, lines)
    mine = await db.scalar(statements.claim_key(user_id, key, fingerprint))
    answer = (await db.scalars(statements.answer_to(user_id, key))).one()
    return answer if mine else rules.first_answer(answer, fingerprint)


def _session() -> AbstractAsyncContextManager[AsyncSession]:
    return cast("AsyncSessions", shop().async_sessions).open()
