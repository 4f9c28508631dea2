"""Headers that tell browsers what not to do with an answer. Built once; an app adds one of three lists."""

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
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)

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
    """The policy of a page that others wrote, with scripts in the page itself: those alone may run, by their hashes."""
    scripts = _INLINE_SCRIPT.findall(page)
    hashes = [b64encode(sha256(script.encode()).digest()).decode() for script in scripts]
    return _PAGE_POLICY.format("".join(f" 'sha256-{one}'" for one in hashes))
