"""What happens to every request, whatever becomes of it: it gets an id, is counted, timed and logged, and its answer
gets the headers that every answer has.
"""

from __future__ import annotations

import re
from time import perf_counter
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, request

from flask_app.errors import refused_rule
from flask_app.resources import Resources, shop
from shared.http import security
from shared.http.cors import cors_headers
from shared.http.proxies import came_by_https, client_address
from shared.ops.metrics import NO_ROUTE
from shared.ops.telemetry import log_access, request_id, request_id_for, set_log_level

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from shared.ops.settings import Settings

_ARGUMENT = re.compile(r"<(?:(\w+):)?(\w+)>")


def init_app(app: Flask, resources: Resources) -> None:
    """Puts the edge around the app."""
    set_log_level(resources.settings.log_level)
    app.wsgi_app = Edge(app.wsgi_app, resources)  # type: ignore[method-assign]  # as Flask's documentation does


def address_of(request: Request) -> str:
    """The address of the client that sent a request, "" when it has none."""
    return _address(request.environ, shop().settings)


class Edge:
    """A pure WSGI middleware: no response object of its own, no hook that Flask would have to look up."""

    def __init__(self, inner: WSGIApplication, resources: Resources) -> None:
        self.inner = inner
        self.settings = resources.settings
        self.counter = resources.request_counter
        self.metrics = resources.metrics
        self.templates: dict[str, str] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Passes a request on."""
        begun_s = perf_counter()
        if "HTTP_UPGRADE" not in environ:  # of a WebSocket the messages count
            self.counter.add()
        identity = request_id_for(environ.get("HTTP_X_REQUEST_ID"))
        request_id.set(identity)
        if environ["PATH_INFO"].startswith("//"):
            environ = _for_werkzeug(environ)

        def start_named(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            headers.append(("X-Request-ID", identity))
            self.finish(environ, int(status[:3]), headers, perf_counter() - begun_s)
            return start_response(status, headers, *error)

        self.metrics.begin(start_named)
        try:
            return self.inner(environ, start_named)
        finally:
            self.metrics.end(start_named)

    def finish(
        self, environ: WSGIEnvironment, status: int, headers: list[tuple[str, str]], duration_s: float
    ) -> None:
        """Completes the head of an answer, and makes a note of it."""
        settings, method = self.settings, environ["REQUEST_METHOD"]
        _secure(status, headers)
        if settings.cors_origins:
            _share(settings, environ, status, headers)
        if settings.trusted_proxies and _is_https(environ, settings):
            headers.append(security.HTTPS_ONLY)
        self.metrics.answered(method, self.route(), status, duration_s)
        if settings.access_log:
            path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
            log_access(method, path, status, duration_s, _address(environ, settings))

    def route(self) -> str:
        """The template of the route that the request came to, written as in the OpenAPI document."""
        rule = request.url_rule or refused_rule(request.routing_exception)
        if rule is None:
            return NO_ROUTE
        try:
            return self.templates[rule.rule]
        except KeyError:
            return self.templates.setdefault(rule.rule, _ARGUMENT.sub(_written, rule.rule))


def _secure(status: int, headers: list[tuple[str, str]]) -> None:
    added = security.BARE if status == 304 else security.DATA
    for name, value in headers:
        if name == "Content-Type" and value.startswith("text/html"):
            added = security.PAGE
        elif name == security.POLICY:
            added = security.BARE
            break
    headers.extend(added)


def _share(settings: Settings, environ: WSGIEnvironment, status: int, headers: list[tuple[str, str]]) -> None:
    """Lets scripts of the origins that are allowed read the answer."""
    preflight = environ["REQUEST_METHOD"] == "OPTIONS" and status == 204
    headers += cors_headers(
        settings.cors_origins,
        environ.get("HTTP_ORIGIN"),
        wanted=environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD") if preflight else None,
        allow=next((value for name, value in headers if name == "Allow"), None),
    )


def _address(environ: WSGIEnvironment, settings: Settings) -> str:
    return client_address(
        settings.trusted_proxies, environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR")
    )


def _is_https(environ: WSGIEnvironment, settings: Settings) -> bool:
    return came_by_https(
        settings.trusted_proxies, environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_PROTO")
    )


def _written(argument: re.Match[str]) -> str:
    converter, name = argument.groups()
    return "{path}" if converter == "path" else f"{{{name}}}"


def _for_werkzeug(environ: WSGIEnvironment) -> WSGIEnvironment:
    """A path that begins with two slashes werkzeug would take for one with a single slash."""
    return {**environ, "PATH_INFO": f"/.{environ['PATH_INFO']}"}
