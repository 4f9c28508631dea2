"""Messages for invalid values: the same in both apps, whichever library finds the fault."""

from collections.abc import Iterable

from shared.shop.errors import Fault

_MESSAGES = {
    "missing": "This field is required.",
    "unknown_field": "This field is not known.",
    "wrong_type": "This must be {}.",
    "too_small": "This must be at least {}.",
    "too_large": "This must be at most {}.",
    "too_short": "This must have a length of at least {}.",
    "too_long": "This must have a length of at most {}.",
    "bad_format": "This does not have the right form.",
    "not_allowed": "This value is not allowed here.",
}


def pointer_to(path: Iterable[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path of keys and indices; empty for the whole document."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def fault(pointer: str, code: str, limit: object = None) -> Fault:
    """A fault with its message. `limit` is the bound that was broken, or the type that was wanted."""
    return Fault(pointer, code, _MESSAGES[code].format(limit))
