"""Any ASGI application with a full garbage collection every so many requests: see collector.py."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from loadtests.reference.collector import STAMPS, from_environment

Message = MutableMapping[str, Any]

wrapped, collector = from_environment()


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Collect if it is due, then let the application answer; the stamps have a path of their own."""
    if scope["type"] != "http":
        await wrapped(scope, receive, send)
    elif scope["path"] == STAMPS:
        body = collector.stamps()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
    else:
        collector.count()
        await wrapped(scope, receive, send)
