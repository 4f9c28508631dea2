"""Is it alive, can it answer, and what is it?"""

from importlib.metadata import version
from typing import Any

import redis
from flask import Blueprint

from flask_app import api
from flask_app.database import db
from flask_app.resources import shop
from flask_app.schemas.health import Health, Readiness, Version
from shared.ops.draining import draining
from shared.shop import statements
from shared.shop.errors import Unavailable

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@api.response(Health)
def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@bp.get("/readyz")
@api.response(Readiness)
@api.problems(503)
def ready() -> dict[str, str]:
    """Database and cache can be reached, and the process is not about to stop."""
    draining.refuse()
    db().execute(statements.PING)
    try:
        shop().redis.ping()
    except redis.RedisError:
        raise Unavailable("cache") from None
    return {"status": "ok", "database": "ok", "cache": "ok"}


@bp.get("/version")
@api.response(Version)
def describe() -> dict[str, Any]:
    """Framework, server and versions."""
    packages = ("flask", "werkzeug", "marshmallow", "sqlalchemy", "psycopg")
    return {
        "framework": "flask",
        "server": shop().settings.server,
        "versions": {package: version(package) for package in packages},
    }
