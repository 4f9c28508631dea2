"""Any ASGI application with a known amount of extra CPU work per request: environment variables name both."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from loadtests.reference.burner import STAMPS, from_environment

Message = MutableMapping[str, Any]

wrapped, burner = from_environment()


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Burn, then let the application answer; the stamps have a path of their own, a lifespan passes through."""
    if scope["type"] != "http":
        await wrapped(scope, receive, send)
    elif scope["path"] == STAMPS:
        body = burner.stamps()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
    else:
        burner.burn()
        await wrapped(scope, receive, send)
