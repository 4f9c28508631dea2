"""Images of items: uploaded, kept as files, and sent whole or in part."""

from typing import BinaryIO

from flask import Blueprint, Response, request, send_file

from flask_app import api, auth, uploads
from flask_app.database import db
from flask_app.resources import shop
from flask_app.schemas.images import ImageOut
from shared.http import conditional
from shared.shop import media, rules, statements
from shared.shop.limits import now
from shared.shop.tables import Image

bp = Blueprint("images", __name__, url_prefix="/api/items")


@bp.put("/<id:item_id>/image")
@auth.admin
@uploads.file
@api.response(ImageOut)
@api.problems(404)
def replace_image(file: BinaryIO, item_id: int) -> Image:
    """Give an item an image, in the place of the one it had."""
    folder = shop().settings.media_folder
    with media.drafts(folder) as drafts:
        drafts.append(media.write(file, folder))
        rules.found(db().scalar(statements.item_for_update(item_id)), "item")
        before = file_of(item_id)
        image = db().merge(media.new_image(item_id, drafts[0], now()))
        db().commit()
        drafts.clear()
    remove(before)
    return image


@bp.get("/<id:item_id>/image")
@api.sends(media.CONTENT_TYPES, 206, 304)
@api.problems(404, 416)
def read_image(item_id: int) -> Response:
    """Read an item's image, or a part of it."""
    # Asked again: the file is gone when the image was replaced since its row was read.
    return rules.found(_answer(item_id) or _answer(item_id), "image")


def file_of(item_id: int) -> str | None:
    """The name of the file that is an item's image, if it has one."""
    image = db().get(Image, item_id)
    return image.file if image else None


def remove(name: str | None) -> None:
    """Deletes a file that no row names any more."""
    if name:
        media.remove(shop().settings.media_folder, name)


def _answer(item_id: int) -> Response | None:
    """The response to a GET or HEAD, or None when the file is not there."""
    image = rules.found(db().get(Image, item_id, populate_existing=True), "image")
    headers = {"ETag": image.etag, "Cache-Control": conditional.CACHE_CONTROL}
    if_none_match = request.headers.get("If-None-Match")
    if if_none_match is not None and conditional.names(if_none_match, image.etag):
        response = Response(status=304, headers=headers | {"Accept-Ranges": "bytes"})
        del response.headers["Content-Type"]
        return response
    try:
        response = send_file(
            shop().settings.media_folder / image.file, image.content_type, etag=image.etag.strip('"')
        )
    except FileNotFoundError:
        return None
    response.headers.update(headers)
    del response.headers["Content-Disposition"], response.headers["Date"]  # no download; servers add the date
    return response
