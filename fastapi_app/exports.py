"""Exports: all items that a filter lets through, as one file."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from fastapi_app.api import ShopRoute, is_head, sends
from fastapi_app.database import Db
from fastapi_app.schemas.items import ItemFilter
from shared.shop import statements
from shared.shop.exports import CSV, NDJSON, ROWS_AT_ONCE, Format

router = APIRouter(prefix="/api/items", tags=["exports"], route_class=ShopRoute)


async def closing() -> AsyncIterator[AsyncExitStack]:
    """Closes its argument when the answer is sent or the client is gone, when nothing else does."""
    async with AsyncExitStack() as stack:
        yield stack


Closing = Annotated[AsyncExitStack, Depends(closing)]
Wanted = Annotated[ItemFilter, Query()]


@router.get("/export.csv", response_class=Response, responses=sends([CSV.content_type]))
async def export_csv(query: Wanted, db: Db, closing: Closing, request: Request) -> Response:
    """All items, filtered and sorted, as CSV."""
    return await _export(CSV, query, db, closing, request)


@router.get("/export.ndjson", response_class=Response, responses=sends([NDJSON.content_type]))
async def export_ndjson(query: Wanted, db: Db, closing: Closing, request: Request) -> Response:
    """All items, filtered and sorted, one JSON document a line."""
    return await _export(NDJSON, query, db, closing, request)


async def _export(form: Format, query: ItemFilter, db: Db, closing: Closing, request: Request) -> Response:
    """The first rows are fetched before the answer begins, so that a database that is away is a 503.

    The session lives as long as the answer: until the last row is sent, or the client is gone.
    """
    if is_head(request):
        return StreamingResponse(_nothing(), headers=form.headers)
    chunks = await closing.enter_async_context(aclosing(_chunks(form, query, db)))
    first = await anext(chunks)
    return StreamingResponse(_rest(first, chunks), headers=form.headers)


async def _chunks(form: Format, query: ItemFilter, db: Db) -> AsyncGenerator[bytes]:
    options = {"yield_per": ROWS_AT_ONCE}
    result = await db.stream(statements.export(**query.model_dump()), execution_options=options)
    try:
        yield form.head + form.encode(await result.fetchmany(ROWS_AT_ONCE))
        while rows := await result.fetchmany(ROWS_AT_ONCE):
            yield form.encode(rows)
    finally:
        await result.close()


async def _rest(first: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in chunks:
        yield chunk


async def _nothing() -> AsyncIterator[bytes]:
    yield b""
