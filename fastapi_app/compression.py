"""gzip for clients that want it. Streams go out as they are: what is sent piece by piece should arrive so."""

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_app.headers import header
from shared.http import compression
from shared.http.conditional import gzip_tag


def init_app(app: FastAPI) -> None:
    """Puts compression before the app."""
    app.add_middleware(Compression)


class Compression:
    """A pure ASGI middleware. It holds back the head of an answer that might be compressed, until the body is there.

    Starlette's own compresses streams, which then arrive late, weighs no q-values (`gzip;q=0` gets gzip), and leaves
    a strong ETag as it is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on; anything but HTTP goes through untouched."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start: Message | None = None

        async def send_compressed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                if _may_compress(message):
                    start = message
                    return
            elif start is not None:
                head, start = start, None
                if message["type"] == "http.response.body" and not message.get("more_body"):
                    message = await _compressed(head, message, scope)
                await send(head)
            await send(message)

        await self.app(scope, receive, send_compressed)


def _may_compress(start: Message) -> bool:
    length, content_type = 0, None
    for name, value in start["headers"]:
        if name == b"content-length":
            length = int(value)
            if length < compression.MIN_BYTES:
                return False
        elif name == b"content-type":
            content_type = value.decode("latin-1")
        elif name == b"content-encoding":
            return False
    return compression.may_compress(start["status"], content_type, length)


async def _compressed(start: Message, body: Message, scope: Scope) -> Message:
    """The body in gzip where that is wanted; the head says so, and that it depends on what is wanted."""
    headers = MutableHeaders(raw=start["headers"])
    headers.append("Vary", "Accept-Encoding")
    if not compression.wants_gzip(header(scope, b"accept-encoding")):
        return body
    content = body["body"]
    if len(content) > compression.LARGE_BYTES:
        packed = await run_in_threadpool(compression.gzipped, content)
    else:
        packed = compression.gzipped(content)
    headers["Content-Length"] = str(len(packed))
    headers["Content-Encoding"] = "gzip"
    if "ETag" in headers:
        headers["ETag"] = gzip_tag(headers["ETag"])
    return {**body, "body": packed}
