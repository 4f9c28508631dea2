"""Small endpoints that the experiments need."""

import asyncio
import os
import time
from typing import Annotated, Any

from fastapi import APIRouter, Query

from fastapi_app.api import ShopRoute
from fastapi_app.resources import Shop
from fastapi_app.schemas.orders import OrderIn
from fastapi_app.schemas.probes import (
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

router = APIRouter(prefix="/api/probe", tags=["probes"], route_class=ShopRoute)


@router.get("/ping", response_model=Pong)
async def ping() -> dict[str, str]:
    """The framework's floor."""
    return {"message": "pong"}


@router.get("/json", response_model=ComputedItems)
async def compute_json(query: Annotated[CountQuery, Query()]) -> dict[str, Any]:
    """Serialisation: computed items, no database."""
    return {"items": rules.computed_items(query.n)}


@router.post("/echo", response_model=EchoOut)
async def echo(order: OrderIn) -> OrderIn:
    """Validation: an order-shaped body comes back."""
    rules.each_item_once([Wanted(line.item_id, line.quantity) for line in order.lines])
    return order


@router.get("/sleep", response_model=Slept)
async def sleep(query: Annotated[WaitQuery, Query()]) -> WaitQuery:
    """Waiting the way this app's concurrency model should: the event loop goes on meanwhile."""
    await asyncio.sleep(query.ms / 1000)
    return query


@router.get("/blocking", response_model=Slept)
async def blocking(query: Annotated[WaitQuery, Query()]) -> WaitQuery:
    """The beginner's mistake: `time.sleep` inside `async def` stops every other request as well."""
    time.sleep(query.ms / 1000)
    return query


@router.get("/cpu", response_model=Burnt)
async def burn(query: Annotated[BurnQuery, Query()]) -> dict[str, int]:
    """CPU time spent in Python."""
    return {"result": rules.burn(query.n)}


@router.get("/requests", response_model=Requests)
async def count_requests(shop: Shop) -> dict[str, int]:
    """How many requests this server has begun, in all its workers, this one included."""
    return {"pid": os.getpid(), "requests": shop.request_counter.value}
