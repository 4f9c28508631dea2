"""Images of items: uploaded, kept as files, and sent whole or in part."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Depends, Header, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse

from fastapi_app.api import Id, ShopRoute, sends
from fastapi_app.auth import admin
from fastapi_app.closing import Closing
from fastapi_app.database import Db
from fastapi_app.resources import Shop
from fastapi_app.schemas.images import ImageOut
from fastapi_app.uploads import Upload
from shared.http import conditional
from shared.shop import media, rules, statements
from shared.shop.errors import NotFound
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
async def read_image(
    item_id: Id, db: Db, shop: Shop, closing: Closing, if_none_match: IfNoneMatch = None
) -> Response:
    """Read an item's image, or a part of it."""
    image, file = await _open(db, item_id, shop.settings.media_folder)
    closing.callback(file.close)
    await db.close()  # a slow client would keep the connection from others
    headers = {"ETag": image.etag, "Cache-Control": conditional.CACHE_CONTROL}
    if if_none_match is not None and conditional.names(if_none_match, image.etag):
        return Response(status_code=304, headers=headers | {"Accept-Ranges": "bytes"})
    # By its descriptor: it is sent to its end even if the image is replaced, and the file deleted, meanwhile.
    descriptor = file.fileno()
    return FileResponse(
        f"/dev/fd/{descriptor}",
        headers=headers,
        media_type=image.content_type,
        stat_result=os.fstat(descriptor),
    )


async def _open(db: Db, item_id: int, folder: Path) -> tuple[Image, BinaryIO]:
    """An image and its file; asked again, for the file is gone when the image was replaced since its row was read."""
    for _ in range(2):
        image = rules.found(await db.get(Image, item_id, populate_existing=True), "image")
        with suppress(FileNotFoundError):
            return image, await run_in_threadpool((folder / image.file).open, "rb")
    raise NotFound("There is no such image.")


async def file_of(db: Db, item_id: int) -> str | None:
    """The name of the file that is an item's image, if it has one."""
    image = await db.get(Image, item_id)
    return image.file if image else None


async def remove(folder: Path, name: str | None) -> None:
    """Deletes a file that no row names any more."""
    if name:
        await run_in_threadpool(media.remove, folder, name)
