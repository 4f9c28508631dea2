"""A probe of a popular mistake: the answer is given now and the stock taken later, without looking again."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Query
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from fastapi_app.api import Id, ShopRoute
from fastapi_app.cache import ItemCache
from fastapi_app.database import Db
from fastapi_app.resources import Shop
from fastapi_app.schemas.late_orders import LateOrderIn, LateQuery, LateTallyOut, Promised
from shared.shop import late_orders, rules, statements
from shared.shop.rules import Wanted
from shared.shop.tables import Item, LateTally

router = APIRouter(prefix="/api/probe/late-orders", tags=["late_orders"], route_class=ShopRoute)


@router.post("", response_model=Promised, status_code=202, responses={404: {}, 409: {}})
async def promise(
    order: LateOrderIn,
    query: Annotated[LateQuery, Query()],
    db: Db,
    shop: Shop,
    background: BackgroundTasks,
) -> dict[str, Any]:
    """The mistake on purpose: promise what is in stock now, take it later without looking again."""
    wanted, delay_ms = Wanted(order.item_id, order.quantity), query.delay_ms
    late_orders.promise(rules.found(await db.get(Item, wanted.item_id), "item"), wanted.quantity)
    await db.execute(statements.accept_late(*wanted))
    await db.commit()
    background.add_task(take, shop.sessions, shop.item_cache, delay_ms / 1000, wanted)
    return {"accepted": True, "delay_ms": delay_ms}


@router.get("/{item_id:id}", response_model=LateTallyOut, responses={404: {}})
async def count_promises(item_id: Id, db: Db) -> LateTally:
    """How many pieces of an item were promised, taken later, and not there any more."""
    rules.found(await db.get(Item, item_id), "item")
    return await db.get(LateTally, item_id) or late_orders.nothing(item_id)


async def take(
    opened_by: async_sessionmaker[AsyncSession], cache: ItemCache, delay_s: float, wanted: Wanted
) -> None:
    """Takes what was promised. An item that was deleted meanwhile took its tally with it."""
    await asyncio.sleep(delay_s)
    async with opened_by.begin() as session:
        item = await session.scalar(statements.item_for_update(wanted.item_id))
        tally = await session.scalar(statements.late_tally_for_update(wanted.item_id))
        if item is not None and tally is not None:
            late_orders.take(item, tally, wanted.quantity)
    await cache.forget([wanted.item_id])
