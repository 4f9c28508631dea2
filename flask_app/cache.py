"""Items in Redis: looked up, stored under a lease, forgotten after a change. Without Redis it is as if it held none."""

import time
from collections.abc import Callable, Iterable
from typing import TypeVar, cast

import redis

from shared.ops.breaker import Breaker, warn
from shared.ops.settings import Settings
from shared.shop import caching

T = TypeVar("T")


class ItemCache:
    """Documents of items by id."""

    def __init__(self, client: "redis.Redis", settings: Settings, breaker: Breaker) -> None:
        self._client = client
        self._namespace = settings.namespace
        self._ttl_ms = 1000 * settings.cache_ttl_s
        self._breaker = breaker
        self._debts = caching.Debts(settings.cache_ttl_s + caching.LEASE_MS / 1000)

    def read(self, item_id: int, load: Callable[[], bytes]) -> tuple[bytes, str]:
        """An item's document, and `hit` or `miss`: on a miss it is what `load` reads. What that raises is not kept."""
        key = caching.item_key(self._namespace, item_id)
        found = self._ask(lambda: self._look_up(key))
        if caching.is_document(found):
            return found, "hit"
        return (load() if found is None else self._fill(key, found, load)), "miss"

    def forget(self, item_ids: Iterable[int]) -> None:
        """Drops what is known of items that were changed; to be called when the change is committed."""
        keys = [caching.item_key(self._namespace, item_id) for item_id in item_ids]
        if self._ask(lambda: self._drop(*keys)) is None:
            self._debts.add(keys)

    def _look_up(self, key: str) -> bytes | None:
        """The document, or a lease that is ours now, or None when another's did not come to an end in time."""
        if self._debts:
            self._drop()
        for wait_s in caching.WAITS_S:
            found = cast("bytes | None", self._client.get(key))
            if caching.is_document(found):
                return found
            lease = caching.new_lease()
            if found is None and self._client.set(key, lease, px=caching.LEASE_MS, nx=True):
                return lease
            time.sleep(wait_s)
        return None

    def _fill(self, key: str, lease: bytes, load: Callable[[], bytes]) -> bytes:
        try:
            document = load()
        except Exception:
            self._ask(lambda: self._client.eval(caching.GIVE_BACK, 1, key, lease))
            raise
        self._ask(lambda: self._client.eval(caching.STORE, 1, key, lease, document, self._ttl_ms))
        return document

    def _drop(self, *keys: str) -> int:
        """Deletes these keys, and those that could not be deleted before."""
        owed = self._debts.owed()
        if not (keys or owed):
            return 0
        dropped = cast("int", self._client.unlink(*keys, *owed))
        self._debts.paid(owed)
        return dropped

    def _ask(self, question: Callable[[], T]) -> T | None:
        """What Redis answers, or None while it can't be asked."""
        answer = None
        if self._breaker.allows():
            with self._breaker.watching(redis.RedisError, warn):
                answer = question()
        return answer
