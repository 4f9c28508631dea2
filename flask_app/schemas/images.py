"""Images of items, going out."""

from marshmallow import fields

from flask_app.schemas.base import Output


class ImageOut(Output):
    """What is known of an item's image; `etag` as the header has it."""

    item_id = fields.Integer(required=True)
    content_type = fields.String(required=True)
    size_bytes = fields.Integer(required=True)
    etag = fields.String(required=True)
