"""Files that browsers load: small, sent whole, and asked for anew each time."""

from typing import Any

from fastapi import Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send


class WholeFiles(StaticFiles):
    """Starlette's files, without parts of them (`Range`), without slashes around their names, and never stale."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers with a file."""
        if scope["type"] == "http":
            name = scope["path"].removeprefix(f"{scope['root_path']}/")
            if not name or name.startswith("/"):
                raise HTTPException(404)
            headers = [(key, value) for key, value in scope["headers"] if key != b"range"]
            scope = {**scope, "headers": headers}
        await super().__call__(scope, receive, send)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at a path; 404 for one that ends in a slash, 405 for whoever would do more than read."""
        response = await super().get_response(path, scope)
        if scope["path"].endswith("/"):
            raise HTTPException(404)
        return response

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, or 304 for who has it."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        del response.headers["Accept-Ranges"]
        return response
