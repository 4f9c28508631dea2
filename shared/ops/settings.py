"""The settings of an app: frozen, read once at the edge, passed in."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any, Literal, TypeVar, cast
from urllib.parse import unquote, urlsplit

from shared.http.proxies import NO_PROXIES, TrustedProxies, trusted_proxies
from shared.http.tokens import SECRET_MIN

_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]+)?")
DEVELOPMENT_SECRET = "for development only: anybody can read this"  # noqa: S105

_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

Views = Literal["sync", "async"]
FLAT, FROZEN = "flat", "frozen"
_TUNINGS = frozenset({FLAT, FROZEN})
N = TypeVar("N", int, float)


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
    `tunings` are the names of those in use; docs/method.md says what each does.
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
    tunings: frozenset[str] = frozenset()
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
        pool_size=_number(int, environment, "POOL_SIZE", 10, least=1),
        upstream_url=environment.get("UPSTREAM_URL") or None,
        upstream_timeout_s=_number(float, environment, "UPSTREAM_TIMEOUT_S", 2.0, least=0.001),
        upstream_max_calls=_number(int, environment, "UPSTREAM_MAX_CALLS", 50, least=1),
        media_dir=environment.get("MEDIA_DIR") or None,
        cache_ttl_s=_number(int, environment, "CACHE_TTL_S", 60, least=1),
        request_count_file=environment.get("REQUEST_COUNT_FILE") or None,
        views=_views(environment.get("SHOP_VIEWS")),
        tunings=_tunings(environment.get("SHOP_TUNINGS", "")),
        log_level=_log_level(environment.get("LOG_LEVEL") or "INFO"),
        access_log=_flag(environment, "ACCESS_LOG"),
        metrics_folder=environment.get("PROMETHEUS_MULTIPROC_DIR", ""),
        drain_s=_number(float, environment, "DRAIN_S", 0.0, least=0.0),
        cors_origins=_origins(environment.get("CORS_ORIGINS", "")),
        trusted_proxies=_proxies(environment.get("TRUSTED_PROXIES", "")),
    )


def _jwt_secret(environment: Mapping[str, str]) -> str:
    development = environment.get("SHOP_ENV") == "development"
    secret = environment.get("JWT_SECRET") or DEVELOPMENT_SECRET
    if len(secret.encode()) < SECRET_MIN or (secret == DEVELOPMENT_SECRET and not development):
        raise ValueError(
            f"set JWT_SECRET to {SECRET_MIN} random bytes or more (openssl rand -hex 32), "
            "or SHOP_ENV=development on your own machine"
        )
    return secret


def _number(kind: type[N], environment: Mapping[str, str], name: str, default: N, *, least: N) -> N:
    """A finite number of at least `least`; the default where the variable is not set, or empty."""
    given = environment.get(name)
    if not given:
        return default
    try:
        number = kind(given)
    except ValueError:
        number = kind(-1)
    if not least <= number < inf:
        raise ValueError(
            f"{name} must be {'a whole number' if kind is int else 'a number'} of at least {least}, not {given!r}"
        )
    return number


def _flag(environment: Mapping[str, str], name: str) -> bool:
    given = environment.get(name) or "0"
    if given not in {"0", "1"}:
        raise ValueError(f"{name} must be 1 or 0, not {given!r}")
    return given == "1"


def _views(given: str | None) -> Views | None:
    if given in {None, "", "sync", "async"}:
        return cast("Views | None", given or None)
    raise ValueError(f"SHOP_VIEWS must be sync or async, not {given!r}")


def _tunings(listed: str) -> frozenset[str]:
    tunings = _names(listed)
    if unknown := sorted(tunings - _TUNINGS):
        raise ValueError(f"SHOP_TUNINGS knows {' and '.join(sorted(_TUNINGS))}, not {', '.join(unknown)}")
    return tunings


def _names(listed: str) -> frozenset[str]:
    """The names in a list with commas."""
    return frozenset(name.strip() for name in listed.split(",")) - {""}


def _log_level(name: str) -> str:
    if name not in _LOG_LEVELS:
        raise ValueError(f"LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not {name}")
    return name


def _origins(listed: str) -> frozenset[str]:
    origins = _names(listed)
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(
                f"CORS_ORIGINS must be origins such as https://shop.example:8443, separated by commas, not {origin}"
            )
    return origins


def _proxies(listed: str) -> TrustedProxies:
    try:
        return trusted_proxies(listed)
    except ValueError as error:
        raise ValueError(f"TRUSTED_PROXIES must be networks such as 10.0.0.0/8, or unix: {error}") from None


def sqlalchemy_url(url: str) -> str:
    """The same URL with the psycopg 3 dialect named, as SQLAlchemy wants it."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in {"postgresql", "postgres"}:
        raise ValueError(f"DATABASE_URL must start with postgresql://, not {scheme}:")
    return f"postgresql+psycopg://{rest}"


def engine_options(settings: Settings) -> dict[str, Any]:
    """The options of SQLAlchemy's engine: pool and connections."""
    return {
        "pool_size": settings.pool_size,
        "max_overflow": 0,
        "pool_timeout": settings.pool_timeout_s,
        "connect_args": {"connect_timeout": settings.connect_timeout_s, "options": "-c timezone=UTC"},
    }
