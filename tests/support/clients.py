"""The two apps in this process, behind clients that hand requests over the way a real server does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_to_bytes

import httpx2
from starlette.testclient import TestClient

from fastapi_app.app import create_app as create_fastapi_app
from flask_app.app import create_app as create_flask_app
from shared.ops.settings import Settings
from tests.support.shop import ADMIN

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from flask import Flask
    from starlette.types import ASGIApp, Receive, Scope, Send

Opened = Callable[[Settings], AbstractContextManager[httpx2.Client]]
BASE_URL = "http://testserver"


class WsgiServer(httpx2.BaseTransport):
    """Calls a WSGI app with the environment that gunicorn makes.

    httpx2's own transport keeps the last of repeated headers and hands over text beyond Latin-1 in PATH_INFO,
    which no server does.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Any:
            started[:] = [int(status.split(maxsplit=1)[0]), headers]

        chunks = self._app(environ_of(request), start_response)
        try:
            body = b"".join(chunks)
        finally:
            getattr(chunks, "close", lambda: None)()
        # As a stream, for which httpx2 makes up no Content-Length where the app gives none.
        return httpx2.Response(started[0], headers=started[1], stream=httpx2.ByteStream(body))


def environ_of(request: httpx2.Request) -> dict[str, Any]:
    """The WSGI environment of a request (PEP 3333): bytes as Latin-1, repeated headers joined.

    Of several Content-Types the last one counts.
    """
    path, _, query = request.url.raw_path.partition(b"?")
    environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(request.read()),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.raw:
        key = name.decode("ascii").upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        text = value.decode("latin-1")
        joined = key in environ and key.startswith("HTTP_")
        environ[key] = f"{environ[key]},{text}" if joined else text
    return environ


def decoding_once(app: ASGIApp) -> ASGIApp:
    """The app with the path that uvicorn gives it: TestClient decodes percent signs twice."""

    async def decoded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": unquote(scope["raw_path"].decode("ascii"))}
        await app(scope, receive, send)

    return decoded


@contextmanager
def flask_shop(settings: Settings) -> Iterator[Flask]:
    """A Flask app of its own; its connections are closed at the end."""
    app = create_flask_app(settings)
    try:
        yield app
    finally:
        app.extensions["shop"].close()


@contextmanager
def flask_client(settings: Settings) -> Iterator[httpx2.Client]:
    """A client of a Flask app of its own."""
    with (
        flask_shop(settings) as app,
        httpx2.Client(transport=WsgiServer(app), base_url=BASE_URL, headers=ADMIN) as client,
    ):
        yield client


@contextmanager
def fastapi_client(settings: Settings) -> Iterator[httpx2.Client]:
    """A client of a FastAPI app of its own, whose lifespan lasts as long as the client."""
    app = decoding_once(create_fastapi_app(settings))
    with TestClient(app, raise_server_exceptions=False, base_url=BASE_URL, headers=ADMIN) as client:
        yield client
