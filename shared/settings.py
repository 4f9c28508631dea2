"""The settings of an app: frozen, read once at the edge, passed in."""

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """What an app needs to know before it starts.

    `pool_size` connections are kept per process and none beyond them; a request waits at most
    `pool_timeout_s` for one of them before it is answered with 503.
    """

    database_url: str
    redis_url: str
    server: str = "in-process"
    pool_size: int = 10
    pool_timeout_s: float = 10.0
    connect_timeout_s: int = 3


def settings_from(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings out of DATABASE_URL, REDIS_URL and SERVER_NAME. Raises ValueError when a URL is missing."""
    missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not environment.get(name)]
    if missing:
        raise ValueError(
            f"set {' and '.join(missing)}, or let `sidebyside serve CONTESTANT` start PostgreSQL and Redis for you"
        )
    return Settings(
        database_url=environment["DATABASE_URL"],
        redis_url=environment["REDIS_URL"],
        server=environment.get("SERVER_NAME", "unnamed"),
        pool_size=int(environment.get("POOL_SIZE", "10")),
    )


def sqlalchemy_url(url: str) -> str:
    """The same URL with the psycopg 3 dialect named, as SQLAlchemy wants it."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in {"postgresql", "postgres"}:
        raise ValueError(f"DATABASE_URL must start with postgresql://, not {scheme}:")
    return f"postgresql+psycopg://{rest}"
