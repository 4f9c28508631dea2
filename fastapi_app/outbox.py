"""Mails to users: written with what gives cause for them, sent after the answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Query
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from fastapi_app.api import ShopRoute
from fastapi_app.auth import admin
from fastapi_app.database import Db
from fastapi_app.pages import read_page
from fastapi_app.schemas.base import Page
from fastapi_app.schemas.outbox import MailOut, MailQuery
from shared.ops.telemetry import logger_of
from shared.shop import mails, statements
from shared.shop.limits import now

router = APIRouter(prefix="/api/outbox", tags=["outbox"], route_class=ShopRoute)
logger = logger_of("shop.fastapi")
Sessions = async_sessionmaker[AsyncSession]


@router.get("", response_model=Page[MailOut], dependencies=[Depends(admin)])
async def list_mails(query: Annotated[MailQuery, Query()], db: Db) -> dict[str, Any]:
    """A page of mails, to all users or to one."""
    return await read_page(db, statements.mails, query)


@asynccontextmanager
async def catching_up(opened_by: Sessions) -> AsyncIterator[None]:
    """Sends, while the app starts, what an earlier process left behind."""
    sending = asyncio.create_task(send_pending(opened_by))
    yield
    sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending


def send_soon(after: BackgroundTasks, opened_by: Sessions) -> None:
    """Sends after the answer what is pending."""
    after.add_task(send_pending, opened_by)


async def send_pending(opened_by: Sessions) -> None:
    """Sends all mails that are pending: those of this request, and those left by workers that died.

    Mails that another worker is sending are left to it. If the database fails they stay for the next call.
    """
    try:
        while await _send_batch(opened_by) == mails.BATCH_MAX:
            pass
    except SQLAlchemyError as error:
        logger.warning("mails stay pending: %s", error)


async def _send_batch(opened_by: Sessions) -> int:
    async with opened_by.begin() as session:
        batch = (await session.scalars(statements.pending_mails(mails.BATCH_MAX))).all()
        for mail in batch:
            mails.send(mail, now())
    return len(batch)
