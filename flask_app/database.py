"""Engine and session: one session a request, opened when the first statement needs it."""

from typing import cast

import redis
from flask import Flask, current_app, g
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from shared.ops.breaker import Breaker
from shared.ops.settings import Settings, engine_options, sqlalchemy_url
from shared.ops.telemetry import logger_of

logger = logger_of("shop.flask")


def init_app(app: Flask, settings: Settings) -> None:
    """Gives the app its engine, its session factory, and its cache client with a breaker before it."""
    engine = create_engine(sqlalchemy_url(settings.database_url), **engine_options(settings))
    app.extensions["engine"] = engine
    app.extensions["sessions"] = sessionmaker(engine, expire_on_commit=False)
    app.extensions["cache"] = redis.Redis.from_url(
        settings.redis_url, socket_connect_timeout=1, socket_timeout=1
    )
    app.extensions["cache_breaker"] = Breaker()
    app.teardown_appcontext(close_session)


def db() -> Session:
    """The session of this request."""
    if "session" not in g:
        g.session = current_app.extensions["sessions"]()
    return cast("Session", g.session)


def sessions() -> sessionmaker[Session]:
    """What opens sessions for work that outlives its request."""
    return cast("sessionmaker[Session]", current_app.extensions["sessions"])


def cache() -> "redis.Redis":
    """The client of the cache."""
    return cast("redis.Redis", current_app.extensions["cache"])


def close_session(_error: BaseException | None) -> None:
    """Ends the request's session; what was not committed is rolled back."""
    session = g.pop("session", None)
    if session is not None:
        session.close()


def warn(error: Exception) -> None:
    """What the log says when the breaker has tripped."""
    logger.warning(
        "the cache can't be reached: items come from the database, stock is not pushed (%s)", error
    )
