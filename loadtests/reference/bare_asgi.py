"""The ASGI floor: what a gateway costs when the application does nothing."""

import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from itertools import count
from typing import Any

Message = MutableMapping[str, Any]

PAGES = {"/api/probe/ping": b'{"message":"pong"}', "/healthz": b'{"status":"ok"}'}

requests = count(1)


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Answer the fixed pages and the process's own request count; anything else is 404."""
    number = next(requests)
    if scope["path"] == "/api/probe/requests":
        body = json.dumps({"pid": os.getpid(), "requests": number}).encode()
    else:
        body = PAGES.get(scope["path"], b"{}")
    status = 404 if body == b"{}" else 200
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
