"""Stock changes on their way through Redis: published after the commit, received once for all of a process."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import redis

from shared.ops.breaker import Breaker, warn
from shared.ops.settings import Settings
from shared.ops.telemetry import logger_of
from shared.shop import stock
from shared.shop.errors import Unavailable
from shared.shop.stock import Board, Mailbox
from shared.shop.tables import Item

logger = logger_of("shop.flask")


class Publisher:
    """Sends changes to every process through Redis. Best effort: while Redis is away they are lost."""

    def __init__(self, client: "redis.Redis", settings: Settings, breaker: Breaker) -> None:
        self._client = client
        self._channel = stock.channel(settings.namespace)
        self._breaker = breaker

    def publish(self, items: Sequence[Item]) -> None:
        """Tells what is in stock of these items now; to be called when it is committed."""
        if items and self._breaker.allows():
            with self._breaker.watching(redis.RedisError, warn):
                self._client.publish(self._channel, stock.message(items))


class Feed:
    """Tells the subscribers in this process what any process has published.

    However many they are, the process has one subscription to Redis, from the first of them on, read by a thread.
    """

    def __init__(self, settings: Settings) -> None:
        self.board = Board()
        self._channel = stock.channel(settings.namespace)
        # Without a time limit: changes may be hours apart. Redis is asked for a sign of life meanwhile.
        self._client = redis.Redis.from_url(
            settings.redis_url, socket_connect_timeout=1, health_check_interval=30
        )
        self._subscribed = threading.Event()
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pubsub: Any = None

    @contextmanager
    def subscribed(self, item_id: int | None, wake: Callable[[], None]) -> Iterator[Mailbox]:
        """A mailbox for the changes of an item, or of all, while the block lasts; raises Unavailable without Redis."""
        box = self.join(item_id, wake)
        try:
            yield box
        finally:
            self.board.leave(box)

    def join(self, item_id: int | None, wake: Callable[[], None]) -> Mailbox:
        """A mailbox that is to leave the board at the end; raises Unavailable without Redis."""
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._listen, name="stock", daemon=True)
                self._thread.start()
        if not self._subscribed.wait(stock.SUBSCRIBE_WITHIN_S):
            raise Unavailable("cache")
        return self.board.join(item_id, wake)

    def close(self) -> None:
        """Ends every subscription, and the one to Redis."""
        self.board.close()
        self._stopping.set()
        if self._thread:
            self._hang_up()
            self._thread.join()
        self._client.close()

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                self._read()
            except (
                redis.RedisError,
                OSError,
                ValueError,
            ) as error:  # the latter two when it is closed meanwhile
                if not self._stopping.is_set():
                    logger.warning("the cache can't be reached: stock changes are not received (%s)", error)
            self._subscribed.clear()
            self._stopping.wait(stock.AGAIN_AFTER_S)

    def _read(self) -> None:
        with self._client.pubsub() as pubsub:  # type: ignore[no-untyped-call]
            self._pubsub = pubsub
            pubsub.subscribe(self._channel)
            for message in pubsub.listen():
                if message["type"] == "subscribe":
                    self._subscribed.set()
                elif message["type"] == "message":
                    self.board.tell(message["data"])
                if self._stopping.is_set():
                    return

    def _hang_up(self) -> None:
        """Has the thread, which waits for a message, find its connection closed."""
        connection = self._pubsub and self._pubsub.connection
        if connection:
            connection.disconnect()
