"""What happens to every request: it gets an id and is counted. And what Starlette leaves out: HEAD for every GET."""

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.telemetry import RequestCounter, request_id, request_id_for


def init_app(app: FastAPI) -> None:
    """Puts the request id and the counter before the app."""
    counter = app.state.request_counter = RequestCounter()
    app.add_middleware(Edge, counter=counter)


class Edge:
    """A pure ASGI middleware: no task, no copy of the body, no response object of its own."""

    def __init__(self, app: ASGIApp, counter: RequestCounter) -> None:
        self.app = app
        self.counter = counter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on; anything else (lifespan) goes through untouched."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.counter.add()
        identity = _identity(scope)
        headless = scope["method"] == "HEAD"

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-request-id", identity.encode()))
            elif headless:
                message["body"] = b""
            await send(message)

        # Route patterns end in `$`, which matches before a final line break too.
        if headless or scope["path"][-1:] == "\n":
            scope = _for_starlette(scope)
        await self.app(scope, receive, send_named)


def _identity(scope: Scope) -> str:
    given = [value for name, value in scope["headers"] if name == b"x-request-id"]
    identity = request_id_for(b",".join(given).decode("latin-1") if given else None)
    request_id.set(identity)
    return identity


def _for_starlette(scope: Scope) -> Scope:
    path = scope["path"] + "/" if scope["path"].endswith("\n") else scope["path"]
    return {**scope, "path": path, "method": "GET" if scope["method"] == "HEAD" else scope["method"]}
