"""Which answers a browser may hand to scripts of another origin (the Fetch standard, section 3.2).

Callers are identified by tokens, never by cookies, so credentials are not allowed.
"""

ALLOWED_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, If-Range, Range, X-Request-ID"
)
EXPOSED_HEADERS = (
    "Content-Disposition, Content-Range, ETag, Location, Retry-After, WWW-Authenticate, X-Cache, X-Request-ID"
)
MAX_AGE_S = 600
