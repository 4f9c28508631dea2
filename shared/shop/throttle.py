"""Slows down guessing of passwords: a limit of failed logins per minute, then 429.

Both Redis clients queue commands alike: `count_attempt` fills a pipeline, the app executes it, and `judge` reads
the result.
"""

from collections.abc import Sequence
from typing import Any

from shared.shop.errors import TooManyAttempts

NOT_COUNTED = "the cache can't be reached: attempts to log in are not counted"
ATTEMPTS_MAX = 5
WINDOW_S = 60


def attempt_key(namespace: str, username: str, address: str) -> str:
    """Where the failures of one address with one username are counted: others can't lock a user out."""
    return f"{namespace}:logins:{address}:{username}"


def count_attempt(pipeline: Any, key: str) -> Any:
    """Counts an attempt before it is judged, so that concurrent ones count too. Fixed windows of WINDOW_S."""
    return pipeline.set(key, 0, ex=WINDOW_S, nx=True).incr(key).ttl(key)


def judge(counted: Sequence[Any]) -> None:
    """Raises TooManyAttempts when the window's attempts are used up."""
    _, attempts, wait_s = counted
    if attempts > ATTEMPTS_MAX:
        raise TooManyAttempts(max(1, wait_s))
