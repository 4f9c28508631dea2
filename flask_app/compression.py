"""gzip for clients that want it. Streams go out as they are: what is sent piece by piece should arrive so."""

from flask import Flask, Response, request

from shared.http import compression


def init_app(app: Flask) -> None:
    """Hooks compression into the app."""
    app.after_request(compressed)


def compressed(response: Response) -> Response:
    """The response in gzip where that is wanted and worth it, and marked as one that depends on what is wanted."""
    length = response.calculate_content_length() if response.is_sequence else None
    if length is None or length < compression.MIN_BYTES:
        return response
    headers = response.headers
    if "Content-Encoding" in headers or not compression.may_compress(
        response.status_code, response.content_type, length
    ):
        return response
    response.vary.add("Accept-Encoding")
    if compression.wants_gzip(request.environ.get("HTTP_ACCEPT_ENCODING")):
        response.set_data(compression.gzipped(response.get_data()))
        headers["Content-Encoding"] = "gzip"
    return response
