"""Mails, going out."""

from marshmallow import fields

from flask_app.fields import QueryInteger, Timestamp
from flask_app.schemas.base import Output, PageQuery
from shared.shop.limits import ID_MAX


class MailOut(Output):
    """A mail, without its body."""

    id = fields.Integer(required=True)
    user_id = fields.Integer(required=True)
    kind = fields.String(required=True)
    recipient = fields.String(required=True)
    subject = fields.String(required=True)
    status = fields.String(required=True)
    created_at = Timestamp(required=True)
    sent_at = Timestamp(required=True, allow_none=True)


class MailPage(Output):
    """A page of mails."""

    items = fields.List(fields.Nested(MailOut), required=True)
    total = fields.Integer(required=True)
    limit = fields.Integer(required=True)
    offset = fields.Integer(required=True)


class MailQuery(PageQuery):
    """Mails to whom."""

    user_id = QueryInteger(least=1, most=ID_MAX)
