"""One session a request, which takes a connection when the first statement needs it."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_app.resources import Shop


async def session(shop: Shop) -> AsyncIterator[AsyncSession]:
    """The session of this request; what was not committed is rolled back."""
    async with shop.sessions() as opened:
        yield opened


Db = Annotated[AsyncSession, Depends(session)]
