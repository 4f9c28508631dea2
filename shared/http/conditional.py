"""Conditional requests (RFC 9110, section 13): entity tags, and what a client that names some is answered."""

import hashlib
import re
from collections.abc import Callable

from shared.shop.errors import PreconditionFailed

# May be kept by anybody, and is asked about before it is used again.
CACHE_CONTROL = "no-cache"
_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def tag_of(body: bytes) -> str:
    """The strong entity tag of a body, whichever coding it is sent in.

    SHA-256 is the quickest of hashlib's where the processor has it built in.
    """
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def names(if_none_match: str, tag: str) -> bool:
    """Whether a client says that it has what a tag stands for; `*` stands for anything. Compared weakly."""
    if if_none_match.strip() == "*":
        return True
    return tag.removeprefix("W/") in {opaque for _, opaque in _TAG.findall(if_none_match)}


def must_match(if_match: str | None, render: Callable[[], bytes]) -> None:
    """Raises PreconditionFailed when a client would change something else than what it has seen.

    render: gives the body as it would be read now. Compared strongly.
    """
    if if_match is None or if_match.strip() == "*":
        return
    named = {opaque for weak, opaque in _TAG.findall(if_match) if not weak}
    if tag_of(render()) not in named:
        raise PreconditionFailed
