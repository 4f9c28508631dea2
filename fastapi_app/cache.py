"""Items in Redis: looked up, stored under a lease, forgotten after a change. Without Redis it is as if it held none."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import redis
from redis.asyncio import Redis

from shared.ops.breaker import Breaker, warn
from shared.ops.settings import Settings
from shared.shop import caching

T = TypeVar("T")


class ItemCache:
    """Documents of items by id."""

    def __init__(self, client: Redis, settings: Settings, breaker: Breaker) -> None:
        self._client: Any = client  # redis-py types both its clients as one
        self._namespace = settings.namespace
        self._ttl_ms = 1000 * settings.cache_ttl_s
        self._breaker = breaker
        self._debts = caching.Debts(settings.cache_ttl_s + caching.LEASE_MS / 1000)

    async def read(self, item_id: int, load: Callable[[], Awaitable[bytes]]) -> tuple[bytes, str]:
        """An item's document, and `hit` or `miss`: on a miss it is what `load` reads. What that raises is not kept."""
        key = caching.item_key(self._namespace, item_id)
        found = await self._ask(lambda: self._look_up(key))
        if caching.is_document(found):
            return found, "hit"
        return (await load() if found is None else await self._fill(key, found, load)), "miss"

    async def forget(self, item_ids: Iterable[int]) -> None:
        """Drops what is known of items that were changed; to be called when the change is committed."""
        keys = [caching.item_key(self._namespace, item_id) for item_id in item_ids]
        if await self._ask(lambda: self._drop(*keys)) is None:
            self._debts.add(keys)

    async def _look_up(self, key: str) -> bytes | None:
        """The document, or a lease that is ours now, or None when another's did not come to an end in time."""
        if self._debts:
            await self._drop()
        for wait_s in caching.WAITS_S:
            found: bytes | None = await self._client.get(key)
            if caching.is_document(found):
                return found
            lease = caching.new_lease()
            if found is None and await self._client.set(key, lease, px=caching.LEASE_MS, nx=True):
                return lease
            await asyncio.sleep(wait_s)
        return None

    async def _fill(self, key: str, lease: bytes, load: Callable[[], Awaitable[bytes]]) -> bytes:
        try:
            document = await load()
        except Exception:
            await self._ask(lambda: self._client.eval(caching.GIVE_BACK, 1, key, lease))
            raise
        await self._ask(lambda: self._client.eval(caching.STORE, 1, key, lease, document, self._ttl_ms))
        return document

    async def _drop(self, *keys: str) -> int:
        """Deletes these keys, and those that could not be deleted before."""
        owed = self._debts.owed()
        if not (keys or owed):
            return 0
        dropped: int = await self._client.unlink(*keys, *owed)
        self._debts.paid(owed)
        return dropped

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T | None:
        """What Redis answers, or None while it can't be asked."""
        answer = None
        if self._breaker.allows():
            with self._breaker.watching(redis.RedisError, warn):
                answer = await question()
        return answer
