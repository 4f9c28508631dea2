"""The other model, SHOP_VIEWS=sync: item reads, item lists and new orders as plain functions on a plain session.

FastAPI runs plain functions in threads. The session is closed before the answer is serialised, for which a thread is
needed again: so none waits for a connection whose holder waits for a thread. Redis is called from the event loop.
"""

from typing import Annotated, Any

from anyio import from_thread
from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from fastapi_app.api import Id, IdempotencyKey, ShopRoute
from fastapi_app.auth import SignedIn
from fastapi_app.conditional import TAGGED
from fastapi_app.orders import created
from fastapi_app.resources import Shop
from fastapi_app.schemas.base import Page
from fastapi_app.schemas.items import ItemOut, ItemQuery
from fastapi_app.schemas.orders import OrderIn, OrderOut
from shared.shop import rules, statements
from shared.shop.limits import now
from shared.shop.rules import Wanted
from shared.shop.tables import Answer, Item

# Left out of the document: the routes that they stand for are in it.
router = APIRouter(prefix="/api", route_class=ShopRoute, include_in_schema=False)


@router.get("/items", response_model=Page[ItemOut], responses=TAGGED)
def list_items(query: Annotated[ItemQuery, Query()], shop: Shop) -> dict[str, Any]:
    """A page of items, filtered and sorted."""
    rows = statements.items(**query.model_dump(exclude={"limit", "offset"}))
    with Session(shop.sync_engine) as db:
        return {
            "items": db.scalars(rows.limit(query.limit).offset(query.offset)).all(),
            "total": db.scalar(statements.count(rows)),
            "limit": query.limit,
            "offset": query.offset,
        }


@router.get("/items/{item_id:id}", response_model=ItemOut, responses=TAGGED)
def read_item(item_id: Id, shop: Shop) -> Item:
    """Read an item."""
    with Session(shop.sync_engine) as db:
        return rules.found(db.get(Item, item_id), "item")


@router.post("/orders", response_model=OrderOut, status_code=201)
def create_order(
    caller: SignedIn, fields: OrderIn, shop: Shop, idempotency_key: IdempotencyKey = None
) -> Response:
    """Place an order: takes the stock of every line, or refuses all."""
    lines = [Wanted(line.item_id, line.quantity) for line in fields.lines]
    rules.each_item_once(lines)
    caller.may_touch(fields.user_id)
    with Session(shop.sync_engine, expire_on_commit=False) as db:
        answer = _claim(db, fields.user_id, idempotency_key, lines)
        if answer is not None and answer.body is not None:
            return created(answer.body, answer.order_id)
        return _place(db, shop, fields.user_id, lines, answer)


def _place(db: Session, shop: Shop, user_id: int, lines: list[Wanted], answer: Answer | None) -> Response:
    """Takes the stock, keeps the answer under its key if it has one, and tells who has to know."""
    items = db.scalars(statements.items_for_update(line.item_id for line in lines)).all()
    order = rules.place_order(user_id, lines, items, now())
    db.add(order)
    db.flush()
    body = OrderOut.model_validate(order).model_dump_json().encode()
    if answer is not None:
        answer.order_id, answer.body = order.id, body
    db.commit()
    from_thread.run(shop.item_cache.forget, [line.item_id for line in lines])
    from_thread.run(shop.publisher.publish, items)
    return created(body, order.id)


def _claim(db: Session, user_id: int, key: str | None, lines: list[Wanted]) -> Answer | None:
    """The row under a user's key: ours to fill, or with the first answer in it. None where no key is given."""
    if key is None:
        return None
    fingerprint = rules.fingerprint(user_id, lines)
    mine = db.scalar(statements.claim_key(user_id, key, fingerprint))
    answer = db.scalars(statements.answer_to(user_id, key)).one()
    return answer if mine else rules.first_answer(answer, fingerprint)
