"""Stock changes, pushed: published to Redis after the commit, and streamed to whoever listens."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any, cast

import redis
from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.requests import HTTPConnection
from fastapi.responses import StreamingResponse
from pydantic import MISSING
from redis.asyncio import Redis
from starlette.types import Receive, Scope, Send

from fastapi_app.api import StrictRoute, is_head, sends
from fastapi_app.database import warn
from fastapi_app.schemas.events import StockQuery
from shared.ops.breaker import Breaker
from shared.ops.draining import draining
from shared.ops.settings import Settings
from shared.ops.telemetry import logger_of
from shared.shop import stock
from shared.shop.errors import Unavailable
from shared.shop.stock import Board, Ended, Mailbox
from shared.shop.tables import Item

router = APIRouter(prefix="/api/events", tags=["events"], route_class=StrictRoute)
logger = logger_of("shop.fastapi")


def init_app(app: FastAPI, settings: Settings) -> None:
    """Gives the app its publisher and its feed; the Redis client is there already."""
    app.state.publisher = Publisher(app.state.cache, settings, app.state.cache_breaker)
    own = app.state.feed = Feed(settings)
    if settings.drain_s is not None:
        draining.then(own.board.close)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Ends every subscription, and the one to Redis, when the app stops."""
    yield
    await app.state.feed.close()


async def publisher(request: Request) -> "Publisher":
    """The app's publisher of stock changes."""
    return cast("Publisher", request.app.state.publisher)


async def feed(connection: HTTPConnection) -> "Feed":
    """The app's feed of stock changes."""
    return cast("Feed", connection.app.state.feed)


class Publisher:
    """Tells every process of changes, by Redis. Best effort: while it is away nobody is told."""

    def __init__(self, client: Any, settings: Settings, breaker: Breaker) -> None:
        self._client = client
        self._channel = stock.channel(settings.namespace)
        self._breaker = breaker

    async def publish(self, items: Sequence[Item]) -> None:
        """Tells what is in stock of these items now; to be called when it is committed."""
        if items and self._breaker.allows():
            with self._breaker.watching(redis.RedisError, warn):
                await self._client.publish(self._channel, stock.message(items))


class Feed:
    """Tells the subscribers in this process what any process has published.

    However many they are, the process has one subscription to Redis, from the first of them on, read by a task.
    """

    def __init__(self, settings: Settings) -> None:
        self.board = Board()
        self._channel = stock.channel(settings.namespace)
        # Without a time limit: changes may be hours apart. Redis is asked for a sign of life meanwhile.
        self._client = Redis.from_url(settings.redis_url, socket_connect_timeout=1, health_check_interval=30)
        self._subscribed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def subscribed(self, item_id: int | None, wake: Callable[[], None]) -> AsyncIterator[Mailbox]:
        """A mailbox for the changes of an item, or of all, while the block lasts; raises Unavailable without Redis."""
        box = await self.join(item_id, wake)
        try:
            yield box
        finally:
            self.board.leave(box)

    async def join(self, item_id: int | None, wake: Callable[[], None]) -> Mailbox:
        """A mailbox that is to leave the board at the end; raises Unavailable without Redis."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen(), name="stock")
        try:
            async with asyncio.timeout(stock.SUBSCRIBE_WITHIN_S):
                await self._subscribed.wait()
        except TimeoutError:
            raise Unavailable("cache") from None
        return self.board.join(item_id, wake)

    async def close(self) -> None:
        """Ends every subscription, and the one to Redis."""
        self.board.close()
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._client.aclose()

    async def _listen(self) -> None:
        while True:
            try:
                await self._read()
            except (redis.RedisError, OSError) as error:
                logger.warning("the cache can't be reached: stock changes are not received (%s)", error)
            self._subscribed.clear()
            await asyncio.sleep(stock.AGAIN_AFTER_S)

    async def _read(self) -> None:
        async with self._client.pubsub() as pubsub:
            await pubsub.subscribe(self._channel)
            async for message in pubsub.listen():
                if message["type"] == "subscribe":
                    self._subscribed.set()
                elif message["type"] == "message":
                    self.board.tell(message["data"])


Push = Annotated[Publisher, Depends(publisher)]
Listen = Annotated[Feed, Depends(feed)]


@router.get("/stock", response_class=Response, responses=sends(["text/event-stream"]) | {503: {}})
async def stream_stock(query: Annotated[StockQuery, Query()], listen: Listen, request: Request) -> Response:
    """Stock changes as server-sent events, of one item or of all."""
    if is_head(request):
        return StreamingResponse(iter(()), headers=stock.EVENT_HEADERS)
    changed = asyncio.Event()
    wanted = None if query.item_id is MISSING else query.item_id
    return EventStream(listen.board, await listen.join(wanted, changed.set), changed)


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
