"""The WSGI floor: what a gateway costs when the application does nothing."""

import json
import os
from collections.abc import Iterable
from itertools import count
from wsgiref.types import StartResponse, WSGIEnvironment

PAGES = {"/api/probe/ping": b'{"message":"pong"}', "/healthz": b'{"status":"ok"}'}

requests = count(1)


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer the fixed pages and the process's own request count; anything else is 404."""
    number = next(requests)
    path = environ["PATH_INFO"]
    if path == "/api/probe/requests":
        body = json.dumps({"pid": os.getpid(), "requests": number}).encode()
    else:
        body = PAGES.get(path, b"{}")
    status = "404 Not Found" if body == b"{}" else "200 OK"
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
