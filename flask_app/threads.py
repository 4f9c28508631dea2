"""Where work for the CPU is done, so that other requests go on meanwhile: FastAPI brings `run_in_threadpool`."""

import sys
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def beside_the_others(work: Callable[..., T], *arguments: object) -> T:
    """What `work` returns, or raises.

    On gunicorn's threads the request has a thread of its own: it is done here. Under gevent all requests share one
    thread, which a view gives back only when it waits; there it is done in a thread of the hub's pool, which this
    greenlet waits for. That is so when gevent has patched `threading`; it is asked without importing it.
    """
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        return work(*arguments)
    from gevent import get_hub  # noqa: PLC0415 - the other servers do without it

    result: T = get_hub().threadpool.apply(work, arguments)
    return result
