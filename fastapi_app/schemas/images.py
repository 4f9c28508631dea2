"""Images of items, going out."""

from fastapi_app.schemas.base import Output


class ImageOut(Output):
    """What is known of an item's image; `etag` as the header has it."""

    item_id: int
    content_type: str
    size_bytes: int
    etag: str
