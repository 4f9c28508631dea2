"""The bounds and patterns of the contract, named once and used by both schema files."""

import re
from datetime import UTC, datetime

ID_MAX = 2**63 - 1
NAME_MAX = 100
DESCRIPTION_MAX = 2000
PRICE_MAX = 10_000_000
STOCK_MAX = 1_000_000
LOW_STOCK_MAX = 9
EMAIL_MAX = 254
PASSWORD_MIN, PASSWORD_MAX = 8, 128
QUANTITY_MAX = 100
LINES_MAX = 50
BATCH_MAX = 1000
LIMIT_DEFAULT, LIMIT_MAX = 20, 100
LATE_MS_DEFAULT = 3000
PROBE_COUNT_MAX, PROBE_MS_MAX, PROBE_ROUNDS_MAX = 1000, 10_000, 10_000_000
FAN_OUT_MAX = 50
BODY_MAX_BYTES = 1024 * 1024

NO_NUL = r"^[^\x00]*$"
USERNAME = r"^[a-z0-9_]{3,30}$"
# What \s holds differs: \x1c-\x1f in Python, \x85 in Python and in Rust (pydantic), \ufeff in ECMAScript (OpenAPI).
# Named, all agree.
_NO_SPACE = r"[^@\s\x1c-\x1f\x85\ufeff]+"
EMAIL = rf"^{_NO_SPACE}@{_NO_SPACE}\.{_NO_SPACE}$"
TOKEN = re.compile(r"[A-Za-z0-9-]{1,64}")
QUERY_INTEGER = re.compile(r"-?[0-9]+")

SORTS = ("id", "-id", "name", "-name", "price", "-price")
UPLOAD_FIELD = "file"
CHUNK_BYTES = 64 * 1024


def _up_to(bound: str) -> str:
    """A pattern of the decimals without leading zero, of as many digits as `bound`, that are not above it."""
    if not bound:
        return ""
    first, rest = int(bound[0]), bound[1:]
    same = f"{first}{_up_to(rest)}"
    return f"(?:{same}|[0-{first - 1}][0-9]{{{len(rest)}}})" if first else same


# Positive integers below 2**63, leading zeros allowed: a path that holds anything else matches no route.
PATH_ID = rf"0*(?:[1-9][0-9]{{0,17}}|(?=[1-9]){_up_to(str(ID_MAX))})"
# A UUID in lower case with its hyphens.
PATH_UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"


def rfc3339(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds and `Z`. `moment` is aware and in UTC."""
    return moment.isoformat(timespec="microseconds")[:26] + "Z"


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return datetime.now(UTC)


def integer_in(text: str) -> int | None:
    """The integer that a query value holds: ASCII digits, with a minus sign or without; None for any other text."""
    if not QUERY_INTEGER.fullmatch(text):
        return None
    # Python refuses to convert more than 4,300 digits; 40 are beyond every bound already.
    digits = text.removeprefix("-").lstrip("0")[:40] or "0"
    return int(f"-{digits}" if text.startswith("-") else digits)
