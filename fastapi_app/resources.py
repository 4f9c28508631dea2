"""What an app keeps open while it runs: made in one place, closed in one place, handed out by dependencies."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from celery import Celery
from fastapi import Depends
from fastapi.requests import HTTPConnection
from redis.asyncio import Redis
from sqlalchemy import Engine, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from fastapi_app.cache import ItemCache
from fastapi_app.feed import Feed, Publisher
from fastapi_app.partner import Partner
from shared.ops import tasks
from shared.ops.breaker import Breaker
from shared.ops.draining import draining
from shared.ops.metrics import Metrics, metrics_in
from shared.ops.settings import Settings, engine_options, sqlalchemy_url
from shared.ops.telemetry import RequestCounter


@dataclass(frozen=True, slots=True)
class Resources:
    """Everything that requests share. None of it connects to anything before it is used."""

    settings: Settings
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    sync_engine: Engine | None
    redis: Redis
    item_cache: ItemCache
    publisher: Publisher
    feed: Feed
    partner: Partner | None
    celery: Celery
    request_counter: RequestCounter
    metrics: Metrics


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """The resources of one app while it runs. Its subscribers are notified when the process is about to stop."""
    url, options = sqlalchemy_url(settings.database_url), engine_options(settings)
    engine = create_async_engine(url, **options)
    client = Redis.from_url(settings.redis_url, socket_connect_timeout=1, socket_timeout=1)
    breaker = Breaker()
    feed = Feed(settings)
    if settings.drain_s is not None:
        draining.then(feed.board.close)
    resources = Resources(
        settings=settings,
        engine=engine,
        sessions=async_sessionmaker(engine, expire_on_commit=False),
        sync_engine=create_engine(url, **options) if settings.views == "sync" else None,
        redis=client,
        item_cache=ItemCache(client, settings, breaker),
        publisher=Publisher(client, settings, breaker),
        feed=feed,
        partner=Partner(settings.upstream_url, settings) if settings.upstream_url else None,
        celery=tasks.make_celery(settings),
        request_counter=RequestCounter(settings.request_count_file),
        metrics=metrics_in(settings.metrics_folder),
    )
    try:
        yield resources
    finally:
        await _close(resources)


async def _close(resources: Resources) -> None:
    if resources.partner:
        await resources.partner.close()
    await resources.feed.close()
    tasks.disconnect(resources.celery)
    await resources.redis.aclose()
    await resources.engine.dispose()
    if resources.sync_engine:
        resources.sync_engine.dispose()


async def shop(connection: HTTPConnection) -> Resources:
    """The resources of the app that handles this request."""
    resources: Resources = connection.app.state.resources
    return resources


Shop = Annotated[Resources, Depends(shop)]
