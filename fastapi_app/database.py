"""One session per request, which takes a connection when the first statement needs it."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_app.resources import shop


async def session(request: Request) -> AsyncIterator[AsyncSession]:
    """The session of this request; what was not committed is rolled back."""
    resources = await shop(request)  # called: a dependency of a dependency costs more than the session
    async with resources.sessions() as opened:
        yield opened


Db = Annotated[AsyncSession, Depends(session)]
