"""Users, in and out."""

from marshmallow import fields

from flask_app.fields import Boolean, Email, Text, Timestamp, Username
from flask_app.schemas.base import Input, Output, Patch
from shared.shop.limits import PASSWORD_MAX, PASSWORD_MIN


class UserIn(Input):
    """A user to create."""

    username = Username(required=True)
    email = Email(required=True)
    is_admin = Boolean(load_default=False)
    password = Text(shortest=PASSWORD_MIN, longest=PASSWORD_MAX, required=True)


class UserPatch(Patch):
    """Some fields of a user."""

    username = Username()
    email = Email()
    is_admin = Boolean()
    password = Text(shortest=PASSWORD_MIN, longest=PASSWORD_MAX)


class UserOut(Output):
    """A user, without the password."""

    id = fields.Integer(required=True)
    username = fields.String(required=True)
    email = fields.String(required=True)
    is_admin = fields.Boolean(required=True)
    created_at = Timestamp(required=True)


class UserPage(Output):
    """A page of users."""

    items = fields.List(fields.Nested(UserOut), required=True)
    total = fields.Integer(required=True)
    limit = fields.Integer(required=True)
    offset = fields.Integer(required=True)
