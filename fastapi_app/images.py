"""Images of items: uploaded, kept as files, and sent whole or in part."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Depends, Request, Response, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from fastapi_app.api import Id, is_head, sends
from fastapi_app.auth import admin
from fastapi_app.database import Db
from fastapi_app.headers import header
from fastapi_app.schemas.images import ImageOut
from fastapi_app.uploads import UploadRoute
from shared.shop import media, rules, statements
from shared.shop.limits import CHUNK_BYTES, now
from shared.shop.media import Answer, Conditions
from shared.shop.tables import Image

router = APIRouter(prefix="/api/items", tags=["images"], route_class=UploadRoute)


def media_folder(request: Request) -> Path:
    """Where the files are."""
    folder: Path = request.app.state.settings.media_folder
    return folder


MediaFolder = Annotated[Path, Depends(media_folder)]


@router.put(
    "/{item_id:id}/image",
    response_model=ImageOut,
    responses={404: {}},
    dependencies=[Depends(admin)],
)
async def replace_image(item_id: Id, file: UploadFile, db: Db, folder: MediaFolder) -> Image:
    """Give an item an image, in the place of the one it had."""
    with media.drafts(folder) as drafts:
        drafts.append(await run_in_threadpool(media.write, file.file, folder))
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
async def read_image(item_id: Id, db: Db, folder: MediaFolder, request: Request) -> Response:
    """Read an item's image, or a part of it."""
    # Asked again: the file is gone when the image was replaced since its row was read.
    sources = item_id, db, folder, request
    return rules.found(await _answer(*sources) or await _answer(*sources), "image")


async def file_of(db: Db, item_id: int) -> str | None:
    """The name of the file that is an item's image, if it has one."""
    image = await db.get(Image, item_id)
    return image.file if image else None


async def remove(folder: Path, name: str | None) -> None:
    """Deletes a file that no row names any more."""
    if name:
        await run_in_threadpool(media.remove, folder, name)


async def _answer(item_id: int, db: Db, folder: Path, request: Request) -> Response | None:
    """The answer to a GET or HEAD, or None when the file is not there."""
    image = rules.found(await db.get(Image, item_id, populate_existing=True), "image")
    headless = is_head(request)
    answer = media.answer(image, _conditions(request), headless=headless)
    if headless or not answer.length:
        return Response(status_code=answer.status, headers=answer.headers)
    await db.close()  # a slow client would keep the connection from others
    try:
        file, first = await run_in_threadpool(_open, folder / image.file, answer)
    except FileNotFoundError:
        return None
    if len(first) == answer.length:
        return Response(first, answer.status, answer.headers)
    return StreamingResponse(_chunks(file, first, answer), answer.status, answer.headers)


def _conditions(request: Request) -> Conditions:
    return Conditions(*(header(request.scope, name) for name in (b"if-none-match", b"if-range", b"range")))


def _open(path: Path, answer: Answer) -> tuple[BinaryIO, bytes]:
    """The first piece, and the file behind it, closed if that is all: one trip to another thread does for many."""
    file = path.open("rb")
    file.seek(answer.start)
    first = file.read(min(CHUNK_BYTES, answer.length))
    if len(first) == answer.length:
        file.close()
    return file, first


async def _chunks(file: BinaryIO, chunk: bytes, answer: Answer) -> AsyncIterator[bytes]:
    left = answer.length
    with file:
        while chunk:
            left -= len(chunk)
            yield chunk
            chunk = await run_in_threadpool(file.read, min(CHUNK_BYTES, left)) if left else b""
