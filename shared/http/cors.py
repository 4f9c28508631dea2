"""Which answers a browser may hand to scripts of another origin (the Fetch standard, section 3.2).

The shop knows its callers by their tokens alone and never by cookies, so credentials are not allowed for.
"""

from collections.abc import Collection

Headers = list[tuple[str, str]]

ALLOWED_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, If-Range, Range, X-Request-ID"
)
EXPOSED_HEADERS = (
    "Content-Disposition, Content-Range, ETag, Location, Retry-After, WWW-Authenticate, X-Cache, X-Request-ID"
)
ALLOWED_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
MAX_AGE_S = 600
_VARY = ("Vary", "Origin")


def cors_headers(
    origins: Collection[str], origin: str | None, *, wanted: str | None = None, allow: str | None = None
) -> Headers:
    """What is added to an answer, for an app that allows `origins` (at least one).

    origin: who asks, the header Origin. A preflight asks for `wanted` (Access-Control-Request-Method) and is answered
    with `allow`, the path's methods; both are None for any other request.
    """
    if origin not in origins or origin is None:
        return [_VARY]
    granted = [("Access-Control-Allow-Origin", origin)]
    if wanted is None or allow is None:
        return [*granted, ("Access-Control-Expose-Headers", EXPOSED_HEADERS), _VARY]
    return [
        *granted,
        ("Access-Control-Allow-Methods", allow),
        ("Access-Control-Allow-Headers", ALLOWED_HEADERS),
        ("Access-Control-Max-Age", str(MAX_AGE_S)),
        _VARY,
    ]
