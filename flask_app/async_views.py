"""The other model, SHOP_VIEWS=async: item reads, item lists and new orders as coroutines on an async session.

The views are those of the other modules: SQLAlchemy runs each in a greenlet of the event loop and has the loop await
every statement, so nothing is written twice. Flask begins an event loop for each request; a connection can't outlive
it, hence no pool.
"""

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, g
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from shared.ops.settings import Settings, engine_options, sqlalchemy_url

View = Callable[..., Any]

ENDPOINTS = ("items.list_items", "items.read_item", "orders.create_order")


class Sessions:
    """Async sessions for event loops that end with their request.

    An engine's first connection tells it about the server, under a lock that belongs to one loop: it is made alone.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._alone = threading.Lock()
        self._knows_server = False

    async def open(self) -> AsyncSession:
        """A session. It has no connection before its first statement."""
        if not self._knows_server:
            with self._alone:
                async with self._engine.connect():
                    self._knows_server = True
        return AsyncSession(self._engine, expire_on_commit=False)


def init_app(app: Flask, settings: Settings) -> None:
    """Puts coroutines in the place of three views. Opens no connection before the first request needs one."""
    url, connect_args = sqlalchemy_url(settings.database_url), engine_options(settings)["connect_args"]
    sessions = Sessions(create_async_engine(url, poolclass=NullPool, connect_args=connect_args))
    for endpoint in ENDPOINTS:
        app.view_functions[endpoint] = awaited(app.view_functions[endpoint], sessions)


def awaited(view: View, sessions: Sessions) -> View:
    """A view as a coroutine, which waits for the database as coroutines do."""

    @wraps(view)
    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        def answer(session: Session) -> Any:
            g.session = session
            try:
                return view(*args, **kwargs)
            finally:
                g.pop("session")

        async with await sessions.open() as session:
            return await session.run_sync(answer)

    return wrapped
