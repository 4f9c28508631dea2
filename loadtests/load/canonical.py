"""Answers' bodies in a form in which equal answers are equal texts. Pure."""

import gzip
import json
import zlib
from collections.abc import Sequence
from typing import Any

ANY = "*"
_GZIP = b"\x1f\x8b"  # what its streams begin with


def unpacked(body: bytes) -> bytes:
    """The body, which may be gzip's, as it was before; a broken stream as it is."""
    try:
        return gzip.decompress(body) if body.startswith(_GZIP) else body
    except (OSError, EOFError, zlib.error):
        return body


def canonical(body: bytes, varies: Sequence[str] = (), *, is_json: bool = True) -> bytes:
    """The body unpacked and, if it is JSON, with sorted keys, without spaces, and with "*" for what varies.

    varies: JSON pointers (RFC 6901); a part `*` stands for any key or index, and `*` alone for the whole body. A
    pointer to nothing is passed over. What isn't JSON stays as it is.
    """
    if ANY in varies:
        return ANY.encode()
    plain = unpacked(body)
    if not is_json:
        return plain
    try:
        value = json.loads(plain)
    except ValueError:
        return plain
    for pointer in varies:
        _blank(value, [_unescaped(part) for part in pointer.split("/")[1:]])
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        errors="replace"
    )


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")


def _blank(value: Any, parts: Sequence[str]) -> None:
    """Put "*" wherever the parts of a pointer lead."""
    first, rest = parts[0], parts[1:]
    for key in _matching(value, first):
        if rest:
            _blank(value[key], rest)
        else:
            value[key] = ANY


def _matching(value: Any, part: str) -> Sequence[Any]:
    """The keys or indices of a value that one part of a pointer names."""
    if isinstance(value, dict):
        return [key for key in value if part in (ANY, key)]
    if isinstance(value, list):
        return [index for index in range(len(value)) if part in (ANY, str(index))]
    return ()
