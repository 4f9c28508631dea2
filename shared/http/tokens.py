"""Bearer tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA256, and the caller that they name."""

import re
from datetime import datetime, timedelta

import jwt

from shared.shop.callers import Caller
from shared.shop.errors import Unauthorized
from shared.shop.limits import PATH_ID

ALGORITHM = "HS256"
LIFETIME = timedelta(minutes=15)
SECRET_MIN = 32  # bytes: as long as the digest, which RFC 7518 (section 3.2) asks for


def issue_token(caller: Caller, secret: str, at: datetime, lifetime: timedelta = LIFETIME) -> str:
    """A token for a caller, valid from `at` (aware) on for `lifetime`."""
    claims = {"sub": str(caller.user_id), "admin": caller.is_admin, "iat": at, "exp": at + lifetime}
    return jwt.encode(claims, secret, ALGORITHM)


def login_answer(caller: Caller, secret: str, at: datetime) -> dict[str, str | int]:
    """The answer to a login (RFC 6749, section 5.1): a token valid from `at` on, and its lifetime in seconds."""
    return {
        "access_token": issue_token(caller, secret, at),
        "token_type": "Bearer",
        "expires_in": int(LIFETIME.total_seconds()),
    }


def caller_of(token: str | None, secret: str) -> Caller:
    """The caller that a bearer token names; raises Unauthorized for none, and for one that is not valid (RFC 6750).

    Refused are other algorithms (`none` among them), foreign keys, tokens that are expired, not yet valid or
    malformed, and those that lack a claim of ours.
    """
    if not token:
        raise Unauthorized("Send a token: Authorization: Bearer ...", "Bearer")
    try:
        claims = jwt.decode(token, secret, [ALGORITHM], options={"require": ["exp", "iat", "sub"]})
        return _caller(claims)
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        raise Unauthorized(
            "This token is not valid, or not any more.", 'Bearer error="invalid_token"'
        ) from None


def _caller(claims: dict[str, object]) -> Caller:
    user_id, is_admin = str(claims["sub"]), claims.get("admin")
    if not (re.fullmatch(PATH_ID, user_id) and isinstance(is_admin, bool)):
        raise ValueError(claims)
    return Caller(int(user_id), is_admin)
