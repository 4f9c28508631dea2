"""Which answers are compressed with gzip: the decision, and the bytes. Equal bodies give equal bytes."""

import re
import zlib

MIN_BYTES = 1024
LEVEL = 5
# So long takes a body of this size that an event loop should not be held up by it.
LARGE_BYTES = 128 * 1024
TYPES = frozenset(
    {
        "application/json",
        "application/problem+json",
        "application/x-ndjson",
        "text/csv",
        "text/html",
        "text/plain",
    }
)
# Text that is streamed, or that is a file.
LEFT_AS_THEY_ARE = (
    "application/x-ndjson",
    "text/csv",
    "text/css",
    "text/javascript",
    "application/javascript",
)
# No content (204), no body of its own (304), or a part of one (206), which is counted in bytes as they are.
_LEFT_ALONE = frozenset({204, 206, 304})
_CODING = re.compile(r"([!#$%&'*+.^_`|~0-9a-z-]+)(?:[ \t]*;[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?")


def may_compress(status: int, content_type: str | None, length: int) -> bool:
    """Whether an answer would be compressed for a client that wants it so: one that is text, and worth it."""
    return (
        length >= MIN_BYTES
        and content_type is not None
        and content_type.partition(";")[0].strip().lower() in TYPES
        and status not in _LEFT_ALONE
    )


def wants_gzip(accept_encoding: str | None) -> bool:
    """Whether a client that sent this Accept-Encoding gets gzip (RFC 9110, section 12.5.3).

    It does when it names gzip, or `*`, and not below what it names identity with. What is malformed is ignored.
    A client that refuses both gets the body as it is.
    """
    if not accept_encoding:
        return False
    weights: dict[str, float] = {}
    for one in accept_encoding.lower().split(","):
        coding = _CODING.fullmatch(one.strip(" \t"))
        if coding:
            weights.setdefault(coding[1], float(coding[2] or 1))
    gzip = next((weights[name] for name in ("gzip", "x-gzip", "*") if name in weights), 0.0)
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def gzipped(body: bytes) -> bytes:
    """The body in gzip's format, without a time in it."""
    return zlib.compress(body, LEVEL, wbits=31)
