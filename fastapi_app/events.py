"""Stock changes as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import MISSING
from starlette.types import Receive, Scope, Send

from fastapi_app.api import ShopRoute, is_head, sends
from fastapi_app.resources import Shop
from fastapi_app.schemas.events import StockQuery
from shared.shop import stock
from shared.shop.stock import Board, Ended, Mailbox

router = APIRouter(prefix="/api/events", tags=["events"], route_class=ShopRoute)


@router.get("/stock", response_class=Response, responses=sends(["text/event-stream"]) | {503: {}})
async def stream_stock(query: Annotated[StockQuery, Query()], shop: Shop, request: Request) -> Response:
    """Stock changes as server-sent events, of one item or of all."""
    if is_head(request):
        return StreamingResponse(iter(()), headers=stock.EVENT_HEADERS)
    changed = asyncio.Event()
    wanted = None if query.item_id is MISSING else query.item_id
    return EventStream(shop.feed.board, await shop.feed.join(wanted, changed.set), changed)


class EventStream(StreamingResponse):
    """The changes that come into a mailbox; it leaves the board however the stream ends."""

    def __init__(self, board: Board, box: Mailbox, changed: asyncio.Event) -> None:
        super().__init__(_events(box, changed), headers=stock.EVENT_HEADERS)
        self._board, self._box = board, box

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streams until the client goes away or the subscription ends."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._board.leave(self._box)


async def _events(box: Mailbox, changed: asyncio.Event) -> AsyncIterator[str]:
    yield stock.SUBSCRIBED
    while True:
        told = await _happens(changed, stock.HEARTBEAT_S)
        changed.clear()
        try:
            lines = box.take()
        except Ended:
            return
        yield "".join(map(stock.event, lines)) if told else stock.HEARTBEAT


async def _happens(changed: asyncio.Event, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            return await changed.wait()
    except TimeoutError:
        return False
