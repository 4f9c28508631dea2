"""Images of items, going out."""

from marshmallow import fields

from flask_app.fields import Integer
from flask_app.schemas.base import Output


class ImageOut(Output):
    """What is known of an item's image; `etag` as the header has it."""

    item_id = Integer(required=True)
    content_type = fields.String(required=True)
    size_bytes = Integer(required=True)
    etag = fields.String(required=True)
