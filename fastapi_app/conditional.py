"""Entity tags on what can be read, and 304 for those who have it already."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from fastapi_app.headers import header
from shared.http import conditional

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
# What a route documents, and by which StrictRoute knows it.
TAGGED: dict[int | str, dict[str, Any]] = {304: {"description": "Not modified"}}


def tagged(handle: Handler) -> Handler:
    """Gives the answer of a handler an ETag, and answers 304 where the client names it."""

    async def handle_tagged(request: Request) -> Response:
        return _tagged(await handle(request), request)

    return handle_tagged


async def if_match(request: Request) -> str | None:
    """What the client has seen of what it would change, if it says so."""
    return header(request.scope, b"if-match")


def _tagged(response: Response, request: Request) -> Response:
    body = bytes(response.body)
    tag = conditional.tag_of(body)
    response.raw_headers += [(b"etag", tag.encode()), (b"cache-control", conditional.CACHE_CONTROL.encode())]
    if_none_match = header(request.scope, b"if-none-match")
    if if_none_match is None:
        return response
    accept_encoding = header(request.scope, b"accept-encoding")
    content_type = response.headers["content-type"]
    same = conditional.not_modified(if_none_match, body, tag, content_type, accept_encoding)
    return _not_modified(response, *same) if same else response


def _not_modified(response: Response, tag: str, varies: bool) -> Response:
    """304 with the headers of the answer, other than those that describe its body."""
    answer = Response(status_code=304, headers=dict(response.headers), background=response.background)
    answer.headers["etag"] = tag
    del answer.headers["content-type"], answer.headers["content-length"]
    if varies:
        answer.headers.append("Vary", "Accept-Encoding")
    return answer


IfMatch = Annotated[str | None, Depends(if_match)]
