"""Waiting for what another process or thread brings about."""

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

T = TypeVar("T")
POLL_S = 0.01


def eventually(probe: Callable[[], T], what: str, within_s: float = 60.0) -> T:
    """What `probe` gives as soon as it counts as true; the test fails when that is not so within a generous time.

    what: for the message, a statement that ought to have become true.
    """
    give_up_s = time.monotonic() + within_s
    while not (found := probe()):
        if time.monotonic() > give_up_s:
            pytest.fail(f"not within {within_s:g} s: {what}; last seen: {found!r}")
        time.sleep(POLL_S)
    return found
