"""Files that browsers load: small, sent whole, and revalidated each time. FastAPI brings StaticFiles."""

from pathlib import Path

from flask import Blueprint, Response, request, send_from_directory
from werkzeug.exceptions import NotFound


def serve_files(bp: Blueprint, prefix: str, folder: Path) -> None:
    """Flask's files, without parts of them (`Range`), without slashes around their names, and never stale.

    The route is called as that of a blueprint with a `static_folder`, so templates can link to it alike.
    """

    @bp.get(f"{prefix}/<path:filename>", endpoint="static")
    def send_file(filename: str) -> Response:
        if filename.endswith("/"):
            raise NotFound
        response = send_from_directory(folder, filename, conditional=False)
        response.make_conditional(request)
        del response.headers["Content-Disposition"], response.headers["Date"]  # servers add the date
        return response
