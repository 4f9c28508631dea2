"""The settings of an app: frozen, read once at the edge, passed in."""

import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast
from urllib.parse import unquote, urlsplit

from shared.proxies import NO_PROXIES, TrustedProxies, trusted_proxies
from shared.tokens import SECRET_MIN

_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]+)?")
DEVELOPMENT_SECRET = "for development only: anybody can read this"  # noqa: S105

Views = Literal["sync", "async"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What an app needs to know before it starts.

    `pool_size` connections are kept per process and none beyond them; a request waits at most
    `pool_timeout_s` for one of them before it is answered with 503.
    The partner at `upstream_url` is called at most `upstream_max_calls` times at once per process; it may take
    `upstream_timeout_s` to connect, and as long again for each piece of its answer.
    Redis keeps an item for the cached read for `cache_ttl_s`.
    Workers that have a `request_count_file` in common count their requests together.
    `views`: whether item reads, item lists and new orders are served by plain functions or by coroutines; None means
    as is usual for the framework.
    `metrics_folder` is where several workers share their figures. For `drain_s` a worker serves on after SIGTERM; None
    leaves the process's signals alone.
    """

    database_url: str
    redis_url: str
    jwt_secret: str = field(repr=False)
    server: str = "in-process"
    pool_size: int = 10
    pool_timeout_s: float = 10.0
    connect_timeout_s: int = 3
    upstream_url: str | None = None
    upstream_timeout_s: float = 2.0
    upstream_max_calls: int = 50
    cache_ttl_s: int = 60
    request_count_file: str | None = None
    views: Views | None = None
    media_dir: str | None = None
    log_level: str = "INFO"
    access_log: bool = False
    metrics_folder: str = ""
    drain_s: float | None = None
    cors_origins: frozenset[str] = frozenset()
    trusted_proxies: TrustedProxies = NO_PROXIES

    @property
    def media_folder(self) -> Path:
        """Where images are kept: `media_dir`, else a folder of this shop in the user's cache folder."""
        return Path(self.media_dir or Path.home() / ".cache" / "sidebyside" / "media" / self.namespace)

    @property
    def namespace(self) -> str:
        """What every Redis key of this shop begins with: its database's name, so that two shops can share a Redis."""
        return unquote(urlsplit(self.database_url).path[1:]) or "shop"


def settings_from(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings out of the environment variables that docs/guide.md lists; ValueError when one is missing or wrong.

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
        upstream_url=environment.get("UPSTREAM_URL") or None,
        upstream_timeout_s=float(environment.get("UPSTREAM_TIMEOUT_S", "2")),
        upstream_max_calls=int(environment.get("UPSTREAM_MAX_CALLS", "50")),
        media_dir=environment.get("MEDIA_DIR") or None,
        cache_ttl_s=int(environment.get("CACHE_TTL_S", "60")),
        request_count_file=environment.get("REQUEST_COUNT_FILE") or None,
        views=_views(environment.get("SHOP_VIEWS")),
        log_level=_log_level(environment.get("LOG_LEVEL") or "INFO"),
        access_log=environment.get("ACCESS_LOG") == "1",
        metrics_folder=environment.get("PROMETHEUS_MULTIPROC_DIR", ""),
        drain_s=float(environment.get("DRAIN_S") or 0),
        cors_origins=_origins(environment.get("CORS_ORIGINS", "")),
        trusted_proxies=_proxies(environment.get("TRUSTED_PROXIES", "")),
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


def _views(given: str | None) -> Views | None:
    if given in {None, "", "sync", "async"}:
        return cast("Views | None", given or None)
    raise ValueError(f"SHOP_VIEWS is sync or async, not {given!r}")


def _log_level(name: str) -> str:
    if name not in logging.getLevelNamesMapping():
        raise ValueError(f"LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not {name}")
    return name


def _origins(listed: str) -> frozenset[str]:
    origins = frozenset(origin.strip() for origin in listed.split(",") if origin.strip())
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(
                f"CORS_ORIGINS holds origins such as https://shop.example:8443, with commas, not {origin}"
            )
    return origins


def _proxies(listed: str) -> TrustedProxies:
    try:
        return trusted_proxies(listed)
    except ValueError as error:
        raise ValueError(f"TRUSTED_PROXIES holds networks such as 10.0.0.0/8, or unix: {error}") from None


def sqlalchemy_url(url: str) -> str:
    """The same URL with the psycopg 3 dialect named, as SQLAlchemy wants it."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in {"postgresql", "postgres"}:
        raise ValueError(f"DATABASE_URL must start with postgresql://, not {scheme}:")
    return f"postgresql+psycopg://{rest}"
