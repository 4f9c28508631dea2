"""What the health endpoints give."""

from fastapi_app.schemas.base import Output


class Health(Output):
    """Alive."""

    status: str


class Readiness(Output):
    """Able to answer."""

    status: str
    database: str
    cache: str


class Version(Output):
    """What answers."""

    framework: str
    server: str
    versions: dict[str, str]
