"""Items in Redis as the bytes of their answers: keys, leases, and how races are decided.

A key holds either an item's document or a lease. Who finds nothing takes a lease, reads the row and stores the
document only if the lease is still there; others wait for it meanwhile. Who changes a row deletes its key after the
commit, lease or document, so that a row read before the change is never stored after it. The idea is that of
"Scaling Memcache at Facebook" (Nishtala and others, NSDI 2013), section 3.2.1.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from random import getrandbits
from time import monotonic
from typing import TypeGuard

# How long a lease lasts if its holder dies: far longer than reading a row takes.
LEASE_MS = 2000
# How long others wait for the lease's holder between looks; after the last they read the row themselves.
WAITS_S = (0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32)

# KEYS: the item's key. ARGV: the lease, the document, its lifetime in milliseconds.
STORE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
"""
# KEYS: the item's key. ARGV: the lease.
GIVE_BACK = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('DEL', KEYS[1])
end
"""


def item_key(namespace: str, item_id: int) -> str:
    """Where an item's document is kept."""
    return f"{namespace}:item:{item_id}"


def new_lease() -> bytes:
    """A new lease. Unlike a document, it does not begin with a brace."""
    return b"lease %016x" % getrandbits(64)


def is_document(found: bytes | None) -> TypeGuard[bytes]:
    """Whether a key's value is a document: neither a lease nor nothing."""
    return found is not None and found[:1] == b"{"


class Debts:
    """Keys still to be deleted, from when Redis could not be reached; safe under threads and greenlets.

    A key is owed for `lifetime_s`: what it held is gone by itself then.
    """

    def __init__(self, lifetime_s: float, clock: Callable[[], float] = monotonic) -> None:
        self._lifetime_s = lifetime_s
        self._clock = clock
        self._due_at: dict[str, float] = {}  # oldest first
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._due_at)

    def add(self, keys: Iterable[str]) -> None:
        """Adds keys to delete."""
        now = self._clock()
        with self._lock:
            for key in keys:
                self._due_at.pop(key, None)
                self._due_at[key] = now + self._lifetime_s
            while self._due_at and next(iter(self._due_at.values())) <= now:
                del self._due_at[next(iter(self._due_at))]

    def owed(self) -> Mapping[str, float]:
        """All keys to delete, to be handed to `paid` once they are."""
        with self._lock:
            return dict(self._due_at)

    def paid(self, keys: Mapping[str, float]) -> None:
        """Removes these, unless they were added again meanwhile."""
        with self._lock:
            for key, due_at in keys.items():
                if self._due_at.get(key) == due_at:
                    del self._due_at[key]
