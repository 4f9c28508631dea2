"""Entity tags on what can be read, and 304 for those who have it already."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response

from shared.http import conditional

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
# What a route documents, and by which ShopRoute knows it.
TAGGED: dict[int | str, dict[str, Any]] = {304: {"description": "Not modified"}}


def tagged(handle: Handler) -> Handler:
    """Gives the answer of a handler an ETag, and answers 304 where the client names it."""

    async def handle_tagged(request: Request) -> Response:
        response = await handle(request)
        tag = conditional.tag_of(bytes(response.body))
        response.headers["ETag"] = tag
        response.headers["Cache-Control"] = conditional.CACHE_CONTROL
        response.headers["Vary"] = "Accept-Encoding"
        if_none_match = request.headers.get("if-none-match")
        if if_none_match is None or not conditional.names(if_none_match, tag):
            return response
        kept = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
        return Response(status_code=304, headers=kept, background=response.background)

    return handle_tagged
