"""Engine and session: one session a request, which takes a connection when the first statement needs it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from shared.ops.breaker import Breaker
from shared.ops.settings import Settings, engine_options, sqlalchemy_url
from shared.ops.telemetry import logger_of

logger = logger_of("shop.fastapi")


def init_app(app: FastAPI, settings: Settings) -> None:
    """Gives the app its engine, its session factory, and its cache client with a breaker before it."""
    engine = create_async_engine(sqlalchemy_url(settings.database_url), **engine_options(settings))
    app.state.engine = engine
    app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
    app.state.cache = Redis.from_url(settings.redis_url, socket_connect_timeout=1, socket_timeout=1)
    app.state.cache_breaker = Breaker()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Closes pool and cache client when the app stops."""
    yield
    await app.state.cache.aclose()
    await app.state.engine.dispose()


async def session(request: Request) -> AsyncIterator[AsyncSession]:
    """The session of this request; what was not committed is rolled back."""
    async with request.app.state.sessions() as opened:
        yield opened


async def sessions(request: Request) -> async_sessionmaker[AsyncSession]:
    """What opens sessions, for routes that often need none."""
    maker: async_sessionmaker[AsyncSession] = request.app.state.sessions
    return maker


async def cache(request: Request) -> Redis:
    """The client of the cache."""
    client: Redis = request.app.state.cache
    return client


Db = Annotated[AsyncSession, Depends(session)]
Sessions = Annotated[async_sessionmaker[AsyncSession], Depends(sessions)]
Cache = Annotated[Redis, Depends(cache)]


def warn(error: Exception) -> None:
    """What the log says when the breaker has tripped."""
    logger.warning(
        "the cache can't be reached: items come from the database, stock is not pushed (%s)", error
    )
