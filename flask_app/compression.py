"""gzip for clients that want it: FastAPI brings GZipMiddleware, Flask leaves it to the app.

Streams go out as they are: what is sent piece by piece should arrive so.
"""

import zlib

from flask import Flask, Response, request

from shared.http.compression import LEVEL, MIN_BYTES

TYPES = frozenset({"application/json", "application/problem+json", "text/html", "text/plain"})
# No content (204), no body of its own (304), or a part of one (206), which is counted in bytes as they are.
LEFT_ALONE = frozenset({204, 206, 304})


def init_app(app: Flask) -> None:
    """Hooks compression into the app."""
    app.after_request(compressed)


def compressed(response: Response) -> Response:
    """The response in gzip where that is wanted and worth it, and marked as one that depends on what is wanted."""
    if not _is_worth_it(response):
        return response
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"] > 0:
        response.set_data(zlib.compress(response.get_data(), LEVEL, wbits=31))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _is_worth_it(response: Response) -> bool:
    length = response.calculate_content_length() if response.is_sequence else None
    return (
        length is not None
        and length >= MIN_BYTES
        and response.status_code not in LEFT_ALONE
        and response.mimetype in TYPES
        and "Content-Encoding" not in response.headers
    )
