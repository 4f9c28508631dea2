"""Pushed stock changes: what is published, and the subscribers in this process."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from shared.shop.limits import BATCH_MAX, PATH_ID
from shared.shop.tables import Item

HEARTBEAT_S = 15.0
SUBSCRIBED = ": subscribed\nretry: 1000\n\n"
HEARTBEAT = ": still here\n\n"
SUBSCRIBE_WITHIN_S = 1.0
AGAIN_AFTER_S = 1.0  # until a subscription that broke off is tried again
BEHIND_MAX = BATCH_MAX  # changes: a subscriber further behind is dropped
MESSAGE_MAX_BYTES = 64 * 1024
EVENT_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}

# Why a socket is closed (RFC 6455, section 7.4.1, and IANA's registry).
GOING_AWAY, NOT_ACCEPTABLE, TOO_BIG, TRY_AGAIN = 1001, 1008, 1009, 1013


class Ended(Exception):
    """A subscription is over; `code` is what a socket is closed with."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def channel(namespace: str) -> str:
    """Where the changes of a shop are published."""
    return f"{namespace}:stock"


def message(items: Iterable[Item]) -> str:
    """What is published of items that were changed: a line of JSON each."""
    return "\n".join(f'{{"item_id":{item.id},"stock":{item.stock}}}' for item in items)


def event(line: str) -> str:
    """A line as a server-sent event."""
    return f"data: {line}\n\n"


def wanted_item(given: Sequence[str]) -> int | None:
    """The item whose changes are wanted, None for all, out of all values of `item_id`; raises ValueError."""
    if len(given) > 1 or any(not re.fullmatch(PATH_ID, value) for value in given):
        raise ValueError(given)
    return int(given[0]) if given else None


def too_big(data: str | bytes) -> bool:
    """Whether a message is beyond what a socket takes."""
    return len(data.encode() if isinstance(data, str) else data) > MESSAGE_MAX_BYTES


class Mailbox:
    """The changes that one subscriber has yet to receive. `wake` is called whenever there are some."""

    __slots__ = ("_ended", "_lines", "_prefix", "_wake")

    def __init__(self, item_id: int | None, wake: Callable[[], None]) -> None:
        self._prefix = "" if item_id is None else f'{{"item_id":{item_id},'
        self._lines: deque[str] = deque()
        self._ended: int | None = None
        self._wake = wake

    def put(self, lines: Iterable[str]) -> bool:
        """Adds those lines that are wanted; False when the subscriber is too far behind, which ends it."""
        wanted = [line for line in lines if line.startswith(self._prefix)]
        if not wanted:
            return True
        self._lines.extend(wanted)
        if len(self._lines) > BEHIND_MAX:
            self.end(TRY_AGAIN)
            return False
        self._wake()
        return True

    def take(self) -> list[str]:
        """All lines that have come since; raises Ended when it is over."""
        if self._ended is not None:
            raise Ended(self._ended)
        return [self._lines.popleft() for _ in range(len(self._lines))]

    def end(self, code: int) -> None:
        """Ends the subscription."""
        self._ended = code
        self._lines.clear()
        self._wake()


class Board:
    """The subscribers in this process; safe under threads and greenlets, and in the handler of a signal.

    A lock would not be: the handler may come while it is held. What a set does at a time it does as a whole.
    """

    def __init__(self) -> None:
        self._boxes: set[Mailbox] = set()
        self._closed = False

    def join(self, item_id: int | None, wake: Callable[[], None]) -> Mailbox:
        """A mailbox for the changes of one item, or of all. On a closed board it has already ended."""
        box = Mailbox(item_id, wake)
        self._boxes.add(box)
        if self._closed:
            box.end(GOING_AWAY)
        return box

    def leave(self, box: Mailbox) -> None:
        """Removes that mailbox, if it is still there."""
        self._boxes.discard(box)

    def tell(self, published: bytes) -> None:
        """Puts a message into all mailboxes; subscribers that are too far behind are dropped."""
        lines = published.decode().split("\n")
        for box in tuple(self._boxes):
            if not box.put(lines):
                self.leave(box)

    def close(self) -> None:
        """Ends all subscriptions, also future ones: the process is about to end."""
        self._closed = True
        for box in tuple(self._boxes):
            box.end(GOING_AWAY)
