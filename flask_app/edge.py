"""What happens to every request, whatever becomes of it: it gets an id, is counted, timed and logged, and its answer
gets the headers that every answer has.
"""

from __future__ import annotations

import re
from time import perf_counter
from typing import TYPE_CHECKING, Any

from flask import Flask, request

from flask_app.resources import Resources
from shared.http import security
from shared.http.proxies import came_by_https, client_address
from shared.ops.metrics import NO_ROUTE
from shared.ops.telemetry import log_access, request_id, request_id_for, set_log_level

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from shared.http.proxies import TrustedProxies

_ARGUMENT = re.compile(r"<(?:(\w+):)?(\w+)>")


def init_app(app: Flask, resources: Resources) -> None:
    """Puts the edge around the app."""
    set_log_level(resources.settings.log_level)
    app.wsgi_app = Edge(app.wsgi_app, resources)  # type: ignore[method-assign]  # as Flask's documentation does
    if resources.settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, resources.settings.trusted_proxies)  # type: ignore[method-assign]


class ProxyFix:
    """What werkzeug's does, for proxies known by their addresses: that one counts hops, and believes who connects."""

    def __init__(self, inner: WSGIApplication, trusted: TrustedProxies) -> None:
        self.inner = inner
        self.trusted = trusted

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Passes a request on as one that came straight from the client."""
        peer = environ.get("REMOTE_ADDR", "")
        by_https = came_by_https(self.trusted, peer, environ.get("HTTP_X_FORWARDED_PROTO"))
        environ["wsgi.url_scheme"] = "https" if by_https else "http"
        environ["REMOTE_ADDR"] = client_address(self.trusted, peer, environ.get("HTTP_X_FORWARDED_FOR"))
        return self.inner(environ, start_response)


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
        if environ["PATH_INFO"].startswith("//"):  # werkzeug would take it for a path with a single slash
            environ["PATH_INFO"] = f"/.{environ['PATH_INFO']}"

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
        if settings.trusted_proxies and environ["wsgi.url_scheme"] == "https":
            headers.append(security.HTTPS_ONLY)
        self.metrics.answered(method, self.route(), status, duration_s)
        if settings.access_log:
            path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
            log_access(method, path, status, duration_s, environ.get("REMOTE_ADDR", ""))

    def route(self) -> str:
        """The template of the route that answers the request, written as in the OpenAPI document."""
        rule = request.url_rule
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


def _written(argument: re.Match[str]) -> str:
    converter, name = argument.groups()
    return "{path}" if converter == "path" else f"{{{name}}}"
