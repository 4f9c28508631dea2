"""Is it alive, can it answer, and what is it?"""

from importlib.metadata import version
from typing import Any

import redis
from fastapi import APIRouter

from fastapi_app.database import Db
from fastapi_app.resources import Shop
from fastapi_app.schemas.health import Health, Readiness, Version
from shared.ops.draining import draining
from shared.shop import statements
from shared.shop.errors import Unavailable

router = APIRouter(tags=["health"])


@router.get("/healthz", response_model=Health)
async def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", response_model=Readiness, responses={503: {}})
async def ready(db: Db, shop: Shop) -> dict[str, str]:
    """Database and cache can be reached, and the process is not about to stop."""
    draining.refuse()
    await db.execute(statements.PING)
    try:
        await shop.redis.ping()  # type: ignore[misc]  # redis-py types both its clients as one
    except redis.RedisError:
        raise Unavailable("cache") from None
    return {"status": "ok", "database": "ok", "cache": "ok"}


@router.get("/version", response_model=Version)
async def describe(shop: Shop) -> dict[str, Any]:
    """Framework, server and versions."""
    packages = ("fastapi", "starlette", "pydantic", "sqlalchemy", "psycopg")
    return {
        "framework": "fastapi",
        "server": shop.settings.server,
        "versions": {package: version(package) for package in packages},
    }
