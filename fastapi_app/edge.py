"""What happens to every request, whatever becomes of it: it gets an id, is counted, timed and logged, and its answer
gets the headers that every answer has. And what Starlette leaves out: a bound on bodies, and HEAD for every GET.
"""

from time import perf_counter

from fastapi import HTTPException, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastapi_app.api import media_type_of
from fastapi_app.resources import Resources
from shared.http import security
from shared.http.proxies import came_by_https, client_address
from shared.http.uploads import FORM, UPLOAD_MAX_BYTES
from shared.ops.draining import draining
from shared.ops.metrics import NO_ROUTE
from shared.ops.settings import Settings
from shared.ops.telemetry import log_access, request_id, request_id_for
from shared.shop.limits import BODY_MAX_BYTES

Headers = list[tuple[bytes, bytes]]


def _encoded(headers: security.Headers) -> Headers:
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]


_BARE, _DATA, _PAGE = _encoded(security.BARE), _encoded(security.DATA), _encoded(security.PAGE)
[_HTTPS_ONLY] = _encoded((security.HTTPS_ONLY,))
_POLICY = security.POLICY.lower().encode()


def address_of(request: Request) -> str:
    """The address of the client that sent a request, "" when it has none."""
    return _address(request.scope, request.app.state.resources.settings)


class Edge:
    """A pure ASGI middleware: no task, no copy of the body, no response object of its own."""

    def __init__(self, inner: ASGIApp) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on; anything else (lifespan, WebSockets) goes through untouched."""
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        begun_s = perf_counter()
        shop: Resources = scope["app"].state.resources
        shop.request_counter.add()
        identity = request_id_for(_header(scope, b"x-request-id"))
        request_id.set(identity)
        headless = scope["method"] == "HEAD"
        routed = {**scope, "method": "GET", "headless": True} if headless else scope

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-request-id", identity.encode()))
                _finish(shop, scope, _route(routed), message, perf_counter() - begun_s)
            elif headless:
                message["body"] = b""
            await send(message)

        shop.metrics.begin(send_named)
        try:
            await self.inner(routed, _bounded(scope, receive), send_named)
        finally:
            shop.metrics.end(send_named)


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """What hands over a body, up to what is allowed. FastAPI's own bound answers in plain text, which is no problem."""
    if scope["method"] in {"GET", "HEAD"}:
        return receive
    form = media_type_of(_header(scope, b"content-type")) == FORM
    left = UPLOAD_MAX_BYTES if form else BODY_MAX_BYTES
    if int(_header(scope, b"content-length") or 0) > left:
        left = -1

    async def receive_bounded() -> Message:
        nonlocal left
        if left >= 0:
            message = await receive()
            left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413)
        return message

    return receive_bounded


def _finish(shop: Resources, scope: Scope, route: str, message: Message, duration_s: float) -> None:
    """Completes the head of an answer, and makes a note of it."""
    settings, method, status = shop.settings, scope["method"], message["status"]
    headers: Headers = message["headers"]
    _secure(status, headers)
    if settings.trusted_proxies and _is_https(scope, settings):
        headers.append(_HTTPS_ONLY)
    if draining.begun:  # gunicorn does this on its own; uvicorn would cut a kept connection off
        headers.append((b"connection", b"close"))
    shop.metrics.answered(method, route, status, duration_s)
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


def _address(scope: Scope, settings: Settings) -> str:
    return client_address(settings.trusted_proxies, _peer(scope), _header(scope, b"x-forwarded-for"))


def _is_https(scope: Scope, settings: Settings) -> bool:
    return came_by_https(settings.trusted_proxies, _peer(scope), _header(scope, b"x-forwarded-proto"))


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _header(scope: Scope, name: bytes) -> str | None:
    """A header's value, those of repeated ones joined (RFC 9110, section 5.3): all that proxies added count."""
    given = [value for key, value in scope["headers"] if key == name]
    return b",".join(given).decode("latin-1") if given else None


def _route(scope: Scope) -> str:
    """The template of the route that the request came to, written as in the OpenAPI document."""
    route = scope.get("route")
    if route is not None:
        template: str = route.path_format
        return template
    mounted: str = scope.get("root_path", "")
    return f"{mounted}/{{path}}" if mounted != scope.get("app_root_path", mounted) else NO_ROUTE
