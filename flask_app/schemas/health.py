"""What the health endpoints give."""

from marshmallow import fields

from flask_app.schemas.base import Output


class Health(Output):
    """Alive."""

    status = fields.String(required=True)


class Readiness(Output):
    """Able to answer."""

    status = fields.String(required=True)
    database = fields.String(required=True)
    cache = fields.String(required=True)


class Version(Output):
    """What answers."""

    framework = fields.String(required=True)
    server = fields.String(required=True)
    versions = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
