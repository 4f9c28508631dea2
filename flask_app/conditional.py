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
    body = response.get_data()
    tag = conditional.tag_of(body)
    response.headers.add("ETag", tag)
    response.headers.add("Cache-Control", conditional.CACHE_CONTROL)
    if_none_match = request.environ.get("HTTP_IF_NONE_MATCH")
    if if_none_match is None:
        return response
    accept_encoding = request.environ.get("HTTP_ACCEPT_ENCODING")
    same = conditional.not_modified(if_none_match, body, tag, response.content_type, accept_encoding)
    return _not_modified(response, *same) if same else response


def _not_modified(response: Response, tag: str, varies: bool) -> Response:
    """304 with the headers of the answer, other than those that describe its body."""
    response.set_data(b"")
    response.status_code = 304
    response.headers["ETag"] = tag
    del response.headers["Content-Type"], response.headers["Content-Length"]
    if varies:
        response.headers.add("Vary", "Accept-Encoding")
    return response
