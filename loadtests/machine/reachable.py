"""Whether the user's own database and cache can be used; an error is one line that says what to do."""

import psycopg
import redis
from sqlalchemy import make_url

from loadtests.errors import ServerError
from shared.ops.settings import sqlalchemy_url

TIMEOUT_S = 3
OLDEST_POSTGRES = 170000  # its collation pg_c_utf8 is needed


def reach_postgres(database_url: str) -> None:
    """Connects once; raises ServerError when that fails or the server is too old."""
    try:
        sqlalchemy_url(database_url)
        with psycopg.connect(libpq_url(database_url), connect_timeout=TIMEOUT_S) as connection:
            version = connection.info.server_version
    except (psycopg.Error, ValueError) as error:
        raise ServerError(
            f"DATABASE_URL can't be used: {first_line(error)}. Fix it, or unset it to use the embedded PostgreSQL"
        ) from None
    if version < OLDEST_POSTGRES:
        raise ServerError("DATABASE_URL: PostgreSQL 17 or later is needed (collation pg_c_utf8)")


def reach_redis(redis_url: str) -> None:
    """Sends one PING; raises ServerError when there is no answer."""
    try:
        with redis.Redis.from_url(redis_url, socket_connect_timeout=TIMEOUT_S) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise ServerError(
            f"REDIS_URL can't be used: {first_line(error)}. Fix it, or unset it to use the embedded Redis"
        ) from None


def libpq_url(database_url: str) -> str:
    """The same URL without SQLAlchemy's dialect, as psycopg needs it."""
    return make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)


def first_line(error: Exception) -> str:
    """The first line of an error's text, or its name when it has none."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
