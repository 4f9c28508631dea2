"""Conditional requests (RFC 9110, section 13): entity tags, and the answers to clients that send some."""

import hashlib
import re
from collections.abc import Callable

from shared.shop.errors import PreconditionFailed

# May be stored by any cache, and is revalidated before it is used again.
CACHE_CONTROL = "no-cache"
_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def tag_of(body: bytes) -> str:
    """The strong entity tag of a body, whichever coding it is sent in.

    SHA-256 is the quickest of hashlib's where the processor has it built in.
    """
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def names(if_none_match: str, tag: str) -> bool:
    """Whether a client's list of tags includes this one (or is `*`). Compared weakly."""
    if if_none_match.strip() == "*":
        return True
    return tag.removeprefix("W/") in {opaque for _, opaque in _TAG.findall(if_none_match)}


def must_match(if_match: str | None, render: Callable[[], bytes]) -> None:
    """Raises PreconditionFailed when the client has not seen the current version.

    render: gives the body as it would be read now. Compared strongly.
    """
    if if_match is None or if_match.strip() == "*":
        return
    named = {opaque for weak, opaque in _TAG.findall(if_match) if not weak}
    if tag_of(render()) not in named:
        raise PreconditionFailed
