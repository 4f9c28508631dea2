"""Logging in, and who may call what."""

from typing import Annotated, Any

import redis
from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from fastapi_app.api import Guard, StrictRoute
from fastapi_app.database import Cache, Db
from fastapi_app.edge import address_of
from fastapi_app.schemas.auth import Credentials, TokenOut
from shared.http.tokens import login_answer
from shared.ops.settings import Settings
from shared.ops.telemetry import logger_of
from shared.shop import rules, statements, throttle
from shared.shop.callers import Caller
from shared.shop.limits import now

router = APIRouter(prefix="/api/auth", tags=["auth"], route_class=StrictRoute)
logger = logger_of("shop.fastapi")

signed_in, admin, maybe_signed_in = Guard(), Guard(admin=True), Guard(optional=True)
SignedIn = Annotated[Caller, Depends(signed_in)]
MaybeSignedIn = Annotated[Caller | None, Depends(maybe_signed_in)]


@router.post("/token", response_model=TokenOut, responses={401: {}, 429: {}})
async def log_in(
    credentials: Credentials, db: Db, cache: Cache, request: Request, response: Response
) -> dict[str, Any]:
    """Exchange username and password for a bearer token."""
    settings: Settings = request.app.state.settings
    attempts = throttle.attempt_key(settings.namespace, credentials.username, address_of(request))
    await _slow_down(cache, attempts)
    user = await db.scalar(statements.user_named(credentials.username))
    caller = await run_in_threadpool(rules.logged_in, user, credentials.password)
    await _forget(cache, attempts)
    response.headers["Cache-Control"] = "no-store"
    return login_answer(caller, settings.jwt_secret, now())


async def _slow_down(cache: Cache, key: str) -> None:
    """Counts an attempt to log in. Without the cache nobody is slowed: shutting everybody out would be worse."""
    try:
        counted = await throttle.count_attempt(cache.pipeline(), key).execute()
    except redis.RedisError:
        logger.warning("the cache can't be reached: attempts to log in are not counted")
        return
    throttle.judge(counted)


async def _forget(cache: Cache, key: str) -> None:
    try:
        await cache.delete(key)
    except redis.RedisError:
        logger.warning("the cache can't be reached: attempts to log in are not counted")
