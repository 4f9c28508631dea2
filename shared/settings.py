"""The settings of an app: frozen, read once at the edge, passed in."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import make_url

from shared.tokens import SECRET_MIN

DEVELOPMENT_SECRET = "for development only: anybody can read this"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Settings:
    """What an app needs to know before it starts.

    `pool_size` connections are kept per process and none beyond them; a request waits at most
    `pool_timeout_s` for one of them before it is answered with 503.
    """

    database_url: str
    redis_url: str
    jwt_secret: str = field(repr=False)
    server: str = "in-process"
    pool_size: int = 10
    pool_timeout_s: float = 10.0
    connect_timeout_s: int = 3

    @property
    def namespace(self) -> str:
        """What every Redis key of this shop begins with: its database's name, so that two shops can share a Redis."""
        return make_url(self.database_url).database or "shop"


def settings_from(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings out of the environment variables that docs/api.md lists. Raises ValueError when one of them is missing.

    JWT_SECRET has a default in development (SHOP_ENV=development) and nowhere else.
    """
    missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not environment.get(name)]
    if missing:
        raise ValueError(
            f"set {' and '.join(missing)}, or let `sidebyside serve CONTESTANT` start PostgreSQL and Redis for you"
        )
    return Settings(
        database_url=environment["DATABASE_URL"],
        redis_url=environment["REDIS_URL"],
        jwt_secret=_jwt_secret(environment),
        server=environment.get("SERVER_NAME", "unnamed"),
        pool_size=int(environment.get("POOL_SIZE", "10")),
    )


def _jwt_secret(environment: Mapping[str, str]) -> str:
    development = environment.get("SHOP_ENV") == "development"
    secret = environment.get("JWT_SECRET") or (DEVELOPMENT_SECRET if development else "")
    if len(secret.encode()) < SECRET_MIN:
        raise ValueError(
            f"set JWT_SECRET to {SECRET_MIN} random bytes or more (openssl rand -hex 32), "
            "or SHOP_ENV=development on your own machine"
        )
    return secret


def sqlalchemy_url(url: str) -> str:
    """The same URL with the psycopg 3 dialect named, as SQLAlchemy wants it."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in {"postgresql", "postgres"}:
        raise ValueError(f"DATABASE_URL must start with postgresql://, not {scheme}:")
    return f"postgresql+psycopg://{rest}"
