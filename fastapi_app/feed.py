"""Stock changes on their way through Redis: published after the commit, received once for all of a process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import redis
from redis.asyncio import Redis

from shared.ops.breaker import Breaker, warn
from shared.ops.settings import Settings
from shared.ops.telemetry import logger_of
from shared.shop import stock
from shared.shop.errors import Unavailable
from shared.shop.stock import Board, Mailbox
from shared.shop.tables import Item

logger = logger_of("shop.fastapi")


class Publisher:
    """Sends changes to every process through Redis. Best effort: while Redis is away they are lost."""

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
