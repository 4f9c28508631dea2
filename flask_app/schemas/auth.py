"""Logging in, in and out."""

from marshmallow import fields

from flask_app.fields import Text
from flask_app.schemas.base import Input, Output
from shared.shop.limits import NAME_MAX, PASSWORD_MAX


class Credentials(Input):
    """Who logs in."""

    username = Text(shortest=1, longest=NAME_MAX, required=True)
    password = Text(shortest=1, longest=PASSWORD_MAX, required=True)


class TokenOut(Output):
    """A bearer token, and for how many seconds it is valid."""

    access_token = fields.String(required=True)
    token_type = fields.String(required=True)
    expires_in = fields.Integer(required=True)
