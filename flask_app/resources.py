"""What an app keeps open while it runs: made in one place, closed in one place, reached by one accessor."""

from dataclasses import dataclass
from typing import cast

import redis
from celery import Celery
from flask import current_app
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

from flask_app.async_database import AsyncSessions
from flask_app.background import Background
from flask_app.cache import ItemCache
from flask_app.feed import Feed, Publisher
from flask_app.partner import Partner
from shared.ops import tasks
from shared.ops.breaker import Breaker
from shared.ops.draining import draining
from shared.ops.metrics import Metrics, metrics_in
from shared.ops.settings import Settings, engine_options, sqlalchemy_url
from shared.ops.telemetry import RequestCounter


@dataclass(frozen=True, slots=True)
class Resources:
    """Everything that requests share. None of it connects to anything, or starts a thread, before it is used."""

    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    async_sessions: AsyncSessions | None
    redis: "redis.Redis"
    item_cache: ItemCache
    publisher: Publisher
    feed: Feed
    partner: Partner | None
    background: Background
    celery: Celery
    request_counter: RequestCounter
    metrics: Metrics

    def close(self) -> None:
        """Waits for the work that is due, and closes every connection. A server that ends does without."""
        if self.partner:
            self.partner.close()
        self.feed.close()
        self.background.close()
        tasks.disconnect(self.celery)
        self.redis.close()
        self.engine.dispose()


def open_resources(settings: Settings) -> Resources:
    """The resources of one app. Its subscribers are notified when the process is about to stop."""
    engine = create_engine(sqlalchemy_url(settings.database_url), **engine_options(settings))
    client = redis.Redis.from_url(settings.redis_url, socket_connect_timeout=1, socket_timeout=1)
    breaker = Breaker()
    feed = Feed(settings)
    if settings.drain_s is not None:
        draining.then(feed.board.close)
    return Resources(
        settings=settings,
        engine=engine,
        sessions=sessionmaker(engine, expire_on_commit=False),
        async_sessions=AsyncSessions(settings) if settings.views == "async" else None,
        redis=client,
        item_cache=ItemCache(client, settings, breaker),
        publisher=Publisher(client, settings, breaker),
        feed=feed,
        partner=Partner(settings.upstream_url, settings) if settings.upstream_url else None,
        background=Background(),
        celery=tasks.make_celery(settings),
        request_counter=RequestCounter(settings.request_count_file),
        metrics=metrics_in(settings.metrics_folder),
    )


def shop() -> Resources:
    """The resources of the app that handles this request."""
    return cast("Resources", current_app.extensions["shop"])
