"""Any application behind some work of our own, which stamps what it cost: one wrapper per gateway."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def asgi(
    wrapped: Any, work: Callable[[], None], path: str, stamps: Callable[[], bytes]
) -> Callable[[Message, Receive, Send], Awaitable[None]]:
    """An ASGI application that works, then lets the other answer; the stamps have a path of their own.

    What is no HTTP request, such as a lifespan, passes through.
    """

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await wrapped(scope, receive, send)
        elif scope["path"] == path:
            body = stamps()
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        else:
            work()
            await wrapped(scope, receive, send)

    return app


def wsgi(
    wrapped: Any, work: Callable[[], None], path: str, stamps: Callable[[], bytes]
) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """The same as a WSGI application."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == path:
            body = stamps()
            headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
            start_response("200 OK", headers)
            return [body]
        work()
        answer: Iterable[bytes] = wrapped(environ, start_response)
        return answer

    return app
