"""An ASGI server that answers `/delay/MS` so many milliseconds later, and stamps how long it really took.

`/known/stamps` gives the stamps since it was last asked: a list of [received, answered], in ns of CLOCK_MONOTONIC.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from time import monotonic_ns
from typing import Any

from loadtests.known.burner import STAMPS

Message = MutableMapping[str, Any]

stamps: list[tuple[int, int]] = []


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Wait as the path says; `/healthz` and the stamps are answered at once."""
    received_ns = monotonic_ns()
    body = b"{}"
    if scope["path"] == STAMPS:
        body = json.dumps(stamps).encode()
        stamps.clear()
    elif scope["path"].startswith("/delay/"):
        await asyncio.sleep(int(scope["path"].removeprefix("/delay/")) / 1000)
        stamps.append((received_ns, monotonic_ns()))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
