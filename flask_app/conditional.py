"""Entity tags on what can be read, and 304 for those who have it already."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, request

from flask_app import api
from shared.http import conditional

View = Callable[..., Any]


def tagged(view: View) -> View:
    """Gives the answer of a view an ETag, and answers 304 where the client names it. Goes around `api.response`."""

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Response:
        return _tagged(view(*args, **kwargs))

    return api.note(wrapped, conditional=True)


def if_match() -> str | None:
    """What the client has seen of what it would change, if it says so."""
    found: str | None = request.environ.get("HTTP_IF_MATCH")
    return found


def _tagged(response: Response) -> Response:
    tag = conditional.tag_of(response.get_data())
    headers = response.headers
    headers["ETag"], headers["Cache-Control"] = tag, conditional.CACHE_CONTROL
    headers["Vary"] = "Accept-Encoding"
    if_none_match = request.headers.get("If-None-Match")
    if if_none_match is not None and conditional.names(if_none_match, tag):
        response.set_data(b"")
        response.status_code = 304
        del headers["Content-Type"], headers["Content-Length"]
    return response
