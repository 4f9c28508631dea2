"""Logging in, and who may call what."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import redis
from flask import Blueprint, g, request

from flask_app import api
from flask_app.database import db
from flask_app.resources import shop
from flask_app.schemas.auth import Credentials, TokenOut
from shared.http.tokens import caller_of, login_answer
from shared.ops.telemetry import logger_of
from shared.shop import rules, statements, throttle
from shared.shop.callers import Caller
from shared.shop.limits import now

View = Callable[..., Any]

bp = Blueprint("auth", __name__, url_prefix="/api/auth")
logger = logger_of("shop.flask")


def signed_in(view: View) -> View:
    """Asks for a bearer token, before anything else of the request is looked at."""
    return _guarded(view, lambda: None, api.SIGNED_IN)


def maybe_signed_in(view: View) -> View:
    """Reads a bearer token if there is one; one that is not valid is refused."""
    return _guarded(view, lambda: None, api.MAYBE_SIGNED_IN)


def admin(view: View) -> View:
    """Asks for an admin's bearer token."""
    return _guarded(view, lambda: caller().must_be_admin(), api.SIGNED_IN)


def caller() -> Caller:
    """Who asks."""
    found: Caller = g.caller
    return found


def maybe_caller() -> Caller | None:
    """Who asks, or None when no token came."""
    found: Caller | None = g.caller
    return found


@bp.post("/token")
@api.body(Credentials)
@api.response(TokenOut)
@api.problems(401, 429)
def log_in(credentials: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Exchange username and password for a bearer token."""
    settings, username = shop().settings, credentials["username"]
    attempts = throttle.attempt_key(settings.namespace, username, request.remote_addr or "")
    _slow_down(attempts)
    caller = rules.logged_in(db().scalar(statements.user_named(username)), credentials["password"])
    _forget(attempts)
    return login_answer(caller, settings.jwt_secret, now()), {"Cache-Control": "no-store"}


def _guarded(view: View, check: Callable[[], None], security: list[dict[str, list[str]]]) -> View:
    optional = {} in security

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        missing = "Authorization" not in request.headers
        g.caller = None if missing and optional else caller_of(_token(), shop().settings.jwt_secret)
        check()
        return view(*args, **kwargs)

    return api.note(wrapped, security=security)


def _token() -> str | None:
    given = request.authorization
    return given.token if given is not None and given.type == "bearer" else None


def _slow_down(key: str) -> None:
    """Counts an attempt to log in. Without the cache no caller is slowed down: locking all out would be worse."""
    try:
        counted = throttle.count_attempt(shop().redis.pipeline(), key).execute()
    except redis.RedisError:
        logger.warning(throttle.NOT_COUNTED)
        return
    throttle.judge(counted)


def _forget(key: str) -> None:
    try:
        shop().redis.delete(key)
    except redis.RedisError:
        logger.warning(throttle.NOT_COUNTED)
