"""Logging in, and who may call what."""

from typing import Annotated, Any

import redis
from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from redis.asyncio import Redis

from fastapi_app.api import ShopRoute
from fastapi_app.database import Db
from fastapi_app.edge import address_of
from fastapi_app.resources import Shop
from fastapi_app.schemas.auth import Credentials, TokenOut
from shared.http.tokens import caller_of, login_answer
from shared.ops.telemetry import logger_of
from shared.shop import rules, statements, throttle
from shared.shop.callers import Caller
from shared.shop.limits import now

router = APIRouter(prefix="/api/auth", tags=["auth"], route_class=ShopRoute)
logger = logger_of("shop.fastapi")

bearer = HTTPBearer(scheme_name="bearer", bearerFormat="JWT", auto_error=False)
Given = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


async def signed_in(given: Given, shop: Shop) -> Caller:
    """Who asks; raises Unauthorized for anything but a valid token."""
    return caller_of(given.credentials if given else None, shop.settings.jwt_secret)


async def maybe_signed_in(given: Given, shop: Shop, request: Request) -> Caller | None:
    """Who asks, or None where no token is sent; a bad one is refused here too."""
    return await signed_in(given, shop) if "authorization" in request.headers else None


SignedIn = Annotated[Caller, Depends(signed_in)]
MaybeSignedIn = Annotated[Caller | None, Depends(maybe_signed_in)]


async def admin(caller: SignedIn) -> Caller:
    """The caller, if an admin; raises Forbidden for others."""
    caller.must_be_admin()
    return caller


@router.post("/token", response_model=TokenOut, responses={401: {}, 429: {}})
async def log_in(
    credentials: Credentials, db: Db, shop: Shop, request: Request, response: Response
) -> dict[str, Any]:
    """Exchange username and password for a bearer token."""
    attempts = throttle.attempt_key(shop.settings.namespace, credentials.username, address_of(request))
    await _slow_down(shop.redis, attempts)
    user = await db.scalar(statements.user_named(credentials.username))
    caller = await run_in_threadpool(rules.logged_in, user, credentials.password)
    await _forget(shop.redis, attempts)
    response.headers["Cache-Control"] = "no-store"
    return login_answer(caller, shop.settings.jwt_secret, now())


async def _slow_down(cache: Redis, key: str) -> None:
    """Counts an attempt to log in. Without the cache no caller is slowed down: locking all out would be worse."""
    try:
        counted = await throttle.count_attempt(cache.pipeline(), key).execute()
    except redis.RedisError:
        logger.warning(throttle.NOT_COUNTED)
        return
    throttle.judge(counted)


async def _forget(cache: Redis, key: str) -> None:
    try:
        await cache.delete(key)
    except redis.RedisError:
        logger.warning(throttle.NOT_COUNTED)
