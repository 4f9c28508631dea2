"""WebSockets: an echo, and stock changes as they happen."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from fastapi_app.feed import Feed
from fastapi_app.resources import Shop
from shared.shop import stock
from shared.shop.errors import Unavailable
from shared.shop.stock import Ended

SEND_WITHIN_S = 10.0
CLOSE_WITHIN_S = 1.0

router = APIRouter(prefix="/ws", tags=["sockets"])


@router.websocket("/echo")
async def echo(websocket: WebSocket, shop: Shop) -> None:
    """Echoes every message; each counts as a request."""
    await websocket.accept()
    count = shop.request_counter.add
    while (message := await websocket.receive())["type"] == "websocket.receive":
        text = message.get("text")
        if stock.too_big(message["bytes"] if text is None else text):
            await websocket.close(stock.TOO_BIG)
            return
        count()
        if text is None:
            await websocket.send_bytes(message["bytes"])
        else:
            await websocket.send_text(text)


@router.websocket("/items")
async def push_items(websocket: WebSocket, shop: Shop) -> None:
    """Stock changes as JSON text, of one item (`?item_id=`) or of all. What the client says is not listened to."""
    await websocket.accept()
    try:
        wanted = stock.wanted_item(websocket.query_params.getlist("item_id"))
        await _push(websocket, shop.feed, wanted)
    except ValueError:
        await _close(websocket, stock.NOT_ACCEPTABLE)
    except (Unavailable, TimeoutError):
        await _close(websocket, stock.TRY_AGAIN)
    except Ended as end:
        await _close(websocket, end.code)


async def _push(websocket: WebSocket, feed: Feed, item_id: int | None) -> None:
    """Tells a client until it leaves; raises Ended, or TimeoutError when the client does not take what it is sent."""
    changed = asyncio.Event()
    async with feed.subscribed(item_id, changed.set) as box:
        client = asyncio.create_task(_until_left(websocket))
        client.add_done_callback(lambda _: changed.set())
        with suppress(WebSocketDisconnect), cancelled_at_end(client):
            while not client.done():
                await changed.wait()
                changed.clear()
                async with asyncio.timeout(SEND_WITHIN_S):
                    for line in box.take():
                        await websocket.send_text(line)


@contextmanager
def cancelled_at_end(task: asyncio.Task[None]) -> Iterator[None]:
    """Ends the task with the block."""
    try:
        yield
    finally:
        task.cancel()


async def _close(websocket: WebSocket, code: int) -> None:
    """Says goodbye, if the client takes it in time."""
    with suppress(TimeoutError, WebSocketDisconnect):
        async with asyncio.timeout(CLOSE_WITHIN_S):
            await websocket.close(code)


async def _until_left(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] == "websocket.receive":
        pass
