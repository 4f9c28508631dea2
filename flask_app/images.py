"""Images of items: uploaded, kept as files, and sent whole or in part."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from flask import Blueprint, Response, request
from werkzeug.wsgi import wrap_file

from flask_app import api, auth, uploads
from flask_app.database import db
from flask_app.resources import shop
from flask_app.schemas.images import ImageOut
from shared.http import ranges
from shared.http.ranges import Answer, Conditions
from shared.shop import media, rules, statements
from shared.shop.limits import CHUNK_BYTES, now
from shared.shop.tables import Image

bp = Blueprint("images", __name__, url_prefix="/api/items")


def media_folder() -> Path:
    """Where the files are."""
    return shop().settings.media_folder


@bp.put("/<id:item_id>/image")
@auth.admin
@uploads.file
@api.response(ImageOut)
@api.problems(404)
def replace_image(file: BinaryIO, item_id: int) -> Image:
    """Give an item an image, in the place of the one it had."""
    with media.drafts(media_folder()) as drafts:
        drafts.append(media.write(file, media_folder()))
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
        media.remove(media_folder(), name)


def _answer(item_id: int) -> Response | None:
    """The answer to a GET or HEAD, or None when the file is not there."""
    image = rules.found(db().get(Image, item_id, populate_existing=True), "image")
    headless = request.method == "HEAD"
    answer = ranges.answer(image, _conditions(), headless=headless)
    if headless or not answer.length:
        return _response(answer)
    try:
        file = (media_folder() / image.file).open("rb")
    except FileNotFoundError:
        return None
    file.seek(answer.start)
    whole = answer.status == 200  # for which the server may have a faster way than ours
    return _response(answer, wrap_file(request.environ, file, CHUNK_BYTES) if whole else _Part(file, answer))


def _conditions() -> Conditions:
    headers = request.headers
    return Conditions(headers.get("If-None-Match"), headers.get("If-Range"), headers.get("Range"))


def _response(answer: Answer, body: Iterable[bytes] = ()) -> Response:
    response = Response(body, answer.status, direct_passthrough=True)
    del response.headers["Content-Type"]
    response.headers.extend(answer.headers)
    return response


class _Part:
    """The bytes of an open file that an answer consists of."""

    def __init__(self, file: BinaryIO, answer: Answer) -> None:
        self._file = file
        self._left = answer.length
        self.close = file.close

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self._file.read(min(CHUNK_BYTES, self._left)):
            self._left -= len(chunk)
            yield chunk
