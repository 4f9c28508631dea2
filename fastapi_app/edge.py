"""What happens to every request, whatever becomes of it: it gets an id, is counted, timed and logged, and its answer
gets the headers that every answer has. And what Starlette leaves out: HEAD for every GET.
"""

from time import perf_counter

from fastapi import FastAPI, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_app.headers import header
from shared.http import security
from shared.http.cors import cors_headers
from shared.http.proxies import came_by_https, client_address
from shared.ops.draining import draining
from shared.ops.metrics import NO_ROUTE, Metrics, metrics_in
from shared.ops.settings import Settings
from shared.ops.telemetry import RequestCounter, log_access, request_id, request_id_for, set_log_level

Headers = list[tuple[bytes, bytes]]


def _encoded(headers: security.Headers) -> Headers:
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]


_BARE, _DATA, _PAGE = _encoded(security.BARE), _encoded(security.DATA), _encoded(security.PAGE)
[_HTTPS_ONLY] = _encoded((security.HTTPS_ONLY,))
_POLICY = security.POLICY.lower().encode()


def init_app(app: FastAPI) -> None:
    """What the edge keeps: it is put around the app when the app is called for the first time."""
    settings: Settings = app.state.settings
    set_log_level(settings.log_level)
    app.state.request_counter = RequestCounter(settings.request_count_file)
    app.state.metrics = metrics_in(settings.metrics_folder)


def address_of(request: Request) -> str:
    """The address of the client that sent a request, "" when it has none."""
    return _address(request.scope, request.app.state.settings)


class Edge:
    """A pure ASGI middleware: no task, no copy of the body, no response object of its own."""

    def __init__(self, inner: ASGIApp, app: FastAPI) -> None:
        self.inner = inner
        self.settings: Settings = app.state.settings
        self.counter: RequestCounter = app.state.request_counter
        self.metrics: Metrics = app.state.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on; anything else (lifespan) goes through untouched."""
        if scope["type"] != "http":
            at_line_break = scope["type"] == "websocket" and scope["path"][-1:] == "\n"
            await self.inner(
                {**scope, "path": scope["path"] + "/"} if at_line_break else scope, receive, send
            )
            return
        begun_s = perf_counter()
        self.counter.add()
        identity = request_id_for(header(scope, b"x-request-id"))
        request_id.set(identity)
        headless = scope["method"] == "HEAD"
        # Route patterns end in `$`, which matches before a final line break too.
        routed = _for_starlette(scope) if headless or scope["path"][-1:] == "\n" else scope

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-request-id", identity.encode()))
                self.finish(scope, _route(routed), message, perf_counter() - begun_s)
            elif headless:
                message["body"] = b""
            await send(message)

        self.metrics.begin(send_named)
        try:
            await self.inner(routed, receive, send_named)
        finally:
            self.metrics.end(send_named)

    def finish(self, scope: Scope, route: str, message: Message, duration_s: float) -> None:
        """Completes the head of an answer, and makes a note of it."""
        settings, method, status = self.settings, scope["method"], message["status"]
        headers: Headers = message["headers"]
        _secure(status, headers)
        if settings.cors_origins:
            _share(settings, scope, status, headers)
        if settings.trusted_proxies and _is_https(scope, settings):
            headers.append(_HTTPS_ONLY)
        if draining.begun:  # gunicorn does this on its own; uvicorn would cut a kept connection off
            headers.append((b"connection", b"close"))
        self.metrics.answered(method, route, status, duration_s)
        if settings.access_log:
            log_access(method, scope["path"], status, duration_s, _address(scope, settings))


def _secure(status: int, headers: Headers) -> None:
    added = _BARE if status == 304 else _DATA
    for name, value in headers:
        if name == b"content-type" and value.startswith(b"text/html"):
            added = _PAGE
        elif name == _POLICY:
            added = _BARE
            break
    headers.extend(added)


def _share(settings: Settings, scope: Scope, status: int, headers: Headers) -> None:
    """Lets scripts of the origins that are allowed read the answer."""
    preflight = scope["method"] == "OPTIONS" and status == 204
    shared = cors_headers(
        settings.cors_origins,
        header(scope, b"origin"),
        wanted=header(scope, b"access-control-request-method") if preflight else None,
        allow=next((value.decode() for name, value in headers if name == b"allow"), None),
    )
    headers += _encoded(tuple(shared))


def _address(scope: Scope, settings: Settings) -> str:
    return client_address(settings.trusted_proxies, _peer(scope), header(scope, b"x-forwarded-for"))


def _is_https(scope: Scope, settings: Settings) -> bool:
    return came_by_https(settings.trusted_proxies, _peer(scope), header(scope, b"x-forwarded-proto"))


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _route(scope: Scope) -> str:
    """The template of the route that the request came to, written as in the OpenAPI document."""
    route = scope.get("route")
    if route is not None:
        template: str = route.path_format
        return template
    mounted: str = scope.get("root_path", "")
    return f"{mounted}/{{path}}" if mounted != scope.get("app_root_path", mounted) else NO_ROUTE


def _for_starlette(scope: Scope) -> Scope:
    path = scope["path"] + "/" if scope["path"].endswith("\n") else scope["path"]
    headless = scope["method"] == "HEAD"
    return {**scope, "path": path, "method": "GET" if headless else scope["method"], "headless": headless}
