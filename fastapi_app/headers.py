"""Headers of a request, as WSGI servers hand them over."""

from starlette.types import Scope


def header(scope: Scope, name: bytes) -> str | None:
    """A header's value by its name in lower case, those of repeated ones joined (RFC 9110, section 5.3).

    None when there is none.
    """
    given = [value for key, value in scope["headers"] if key == name]
    return b",".join(given).decode("latin-1") if given else None
