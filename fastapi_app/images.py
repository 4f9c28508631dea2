"""Images of items: uploaded, kept as files, and sent whole or in part."""

import os
from functools import partial
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Depends, Header, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from starlette.types import Receive, Scope, Send

from fastapi_app.api import Id, ShopRoute, sends
from fastapi_app.auth import admin
from fastapi_app.database import Db
from fastapi_app.resources import Shop
from fastapi_app.schemas.images import ImageOut
from fastapi_app.uploads import Upload
from shared.http import conditional
from shared.shop import media, rules, statements
from shared.shop.limits import now
from shared.shop.tables import Image

router = APIRouter(prefix="/api/items", tags=["images"], route_class=ShopRoute)
IfNoneMatch = Annotated[str | None, Header(include_in_schema=False)]


@router.put(
    "/{item_id:id}/image",
    response_model=ImageOut,
    responses={404: {}},
    dependencies=[Depends(admin)],
)
async def replace_image(item_id: Id, form: Upload, db: Db, shop: Shop) -> Image:
    """Give an item an image, in the place of the one it had."""
    folder = shop.settings.media_folder
    with media.drafts(folder) as drafts:
        drafts.append(await run_in_threadpool(media.write, form.file.file, folder))
        rules.found(await db.scalar(statements.item_for_update(item_id)), "item")
        before = await file_of(db, item_id)
        image = await db.merge(media.new_image(item_id, drafts[0], now()))
        await db.commit()
        drafts.clear()
    await remove(folder, before)
    return image


@router.get(
    "/{item_id:id}/image",
    response_class=Response,
    responses={**sends(media.CONTENT_TYPES, 206, 304), 404: {}, 416: {}},
)
async def read_image(item_id: Id, db: Db, shop: Shop, if_none_match: IfNoneMatch = None) -> Response:
    """Read an item's image, or a part of it."""
    answer = partial(_answer, db, item_id, shop.settings.media_folder, if_none_match)
    # Asked again: the file is gone when the image was replaced since its row was read.
    return rules.found(await answer() or await answer(), "image")


async def file_of(db: Db, item_id: int) -> str | None:
    """The name of the file that is an item's image, if it has one."""
    image = await db.get(Image, item_id)
    return image.file if image else None


async def remove(folder: Path, name: str | None) -> None:
    """Deletes a file that no row names any more."""
    if name:
        await run_in_threadpool(media.remove, folder, name)


async def _answer(db: Db, item_id: int, folder: Path, if_none_match: str | None) -> Response | None:
    """The response to a GET or HEAD, or None when the file is not there."""
    image = rules.found(await db.get(Image, item_id, populate_existing=True), "image")
    await db.close()  # a slow client would keep the connection from others
    headers = {"ETag": image.etag, "Cache-Control": conditional.CACHE_CONTROL}
    if if_none_match is not None and conditional.names(if_none_match, image.etag):
        return Response(status_code=304, headers=headers | {"Accept-Ranges": "bytes"})
    try:
        file = await run_in_threadpool((folder / image.file).open, "rb")
    except FileNotFoundError:
        return None
    return OpenFileResponse(file, headers=headers, media_type=image.content_type)


class OpenFileResponse(FileResponse):
    """Sends a file that is open already: to its end, even if it is deleted meanwhile, and closes it.

    FileResponse itself opens a path, after it has sent the head. It is given that of the descriptor, which means this
    file in this process and as long as it is open: no server is offered to send it by its path (ASGI's pathsend).
    """

    def __init__(self, file: BinaryIO, **rest: Any) -> None:
        super().__init__(f"/dev/fd/{file.fileno()}", stat_result=os.fstat(file.fileno()), **rest)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the file, or the part of it that is asked for."""
        with self._file:
            await super().__call__({**scope, "extensions": {}}, receive, send)
