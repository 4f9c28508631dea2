"""Headers that restrict what browsers do with an answer. Built once; an app adds one of three lists."""

import re
from base64 import b64encode
from hashlib import sha256

Headers = tuple[tuple[str, str], ...]

POLICY = "Content-Security-Policy"
_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'{}; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# For ReDoc, which searches in a worker of its own making and adds styles to the page as it draws it: elements that are
# empty at first, and one for scrollbars, which are known by their hashes. The one in the page itself is added.
_REDOC_POLICY = (
    "default-src 'none'; script-src 'self'; worker-src blob:; "
    "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' "
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='{}; img-src 'self' data:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_INLINE = {name: re.compile(rf"<{name}>(.*?)</{name}>", re.DOTALL) for name in ("script", "style")}

# For answers with a policy of their own, and for 304, whose headers replace those of the page a browser has kept.
BARE: Headers = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
)
DATA: Headers = (*BARE, (POLICY, _DATA_POLICY))
PAGE: Headers = (*BARE, (POLICY, _PAGE_POLICY.format("")))
HTTPS_ONLY = ("Strict-Transport-Security", "max-age=31536000")


def policy_of(page: str) -> str:
    """The policy of Swagger UI's page, with scripts in the page itself: those alone may run."""
    return _PAGE_POLICY.format(_hashes("script", page))


def redoc_policy(page: str) -> str:
    """The policy of ReDoc's page, with styles in the page itself: those alone, and ReDoc's own, are used."""
    return _REDOC_POLICY.format(_hashes("style", page))


def _hashes(element: str, page: str) -> str:
    hashes = [b64encode(sha256(text.encode()).digest()).decode() for text in _INLINE[element].findall(page)]
    return "".join(f" 'sha256-{one}'" for one in hashes)
