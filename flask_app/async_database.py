"""Async sessions for SHOP_VIEWS=async. Flask begins an event loop for each request, which no connection can outlive;
FastAPI's sync sessions need no more than an engine.
"""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from shared.ops.settings import Settings, engine_options, sqlalchemy_url


class AsyncSessions:
    """Opens sessions; each makes a connection of its own and closes it."""

    def __init__(self, settings: Settings) -> None:
        self._engine = create_async_engine(
            sqlalchemy_url(settings.database_url),
            poolclass=NullPool,
            connect_args=engine_options(settings)["connect_args"],
        )
        self._alone = threading.Lock()
        self._knows_server = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncSession]:
        """A session. The first connection is made alone: it learns what the server is, under a lock of its loop."""
        if not self._knows_server:
            with self._alone:
                async with self._engine.connect():
                    self._knows_server = True
        async with AsyncSession(self._engine, expire_on_commit=False) as session:
            yield session
