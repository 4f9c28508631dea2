"""Conditional requests (RFC 9110, section 13): entity tags, and what a client that names some is answered."""

import hashlib
import re
from collections.abc import Callable
from typing import NamedTuple

from shared.http import compression
from shared.shop.errors import PreconditionFailed

# May be kept by anybody, and is asked about before it is used again.
CACHE_CONTROL = "no-cache"
_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def tag_of(body: bytes) -> str:
    """The strong entity tag of a body. SHA-256 is the quickest of hashlib's where the processor has it built in."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def gzip_tag(tag: str) -> str:
    """The tag of the same body compressed: strong tags tell the two apart, a weak one need not."""
    return tag if tag.startswith("W/") else f'{tag[:-1]}-gzip"'


class NotModified(NamedTuple):
    """What 304 says: the tag of the body that the client has, and whether it depends on the encodings it takes."""

    tag: str
    varies: bool


def not_modified(
    if_none_match: str, body: bytes, tag: str, content_type: str | None, accept_encoding: str | None
) -> NotModified | None:
    """What to answer instead of a body when the client has it already; None when it has not."""
    varies = compression.may_compress(200, content_type, len(body))
    same = known(if_none_match, tag, compressed=varies and compression.wants_gzip(accept_encoding))
    return None if same is None else NotModified(same, varies)


def known(if_none_match: str, tag: str, *, compressed: bool) -> str | None:
    """The tag by which a client says that it has the body, compared weakly; None when it does not have it.

    tag: the body's own; it counts as known too by the tag of its compressed form. `*` stands for the one that would
    be sent, which is the latter if `compressed`.
    """
    tags = (gzip_tag(tag), tag) if compressed else (tag, gzip_tag(tag))
    if if_none_match.strip() == "*":
        return tags[0]
    named = {opaque for _, opaque in _TAG.findall(if_none_match)}
    return next((one for one in tags if one in named), None)


def must_match(if_match: str | None, render: Callable[[], bytes]) -> None:
    """Raises PreconditionFailed when a client would change something else than what it has seen.

    render: gives the body as it would be read now. Compared strongly; the tag of the compressed body is as good.
    """
    if if_match is None or if_match.strip() == "*":
        return
    tag = tag_of(render())
    named = {opaque for weak, opaque in _TAG.findall(if_match) if not weak}
    if named.isdisjoint({tag, gzip_tag(tag)}):
        raise PreconditionFailed
