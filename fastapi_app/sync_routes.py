"""The other model, SHOP_VIEWS=sync: item reads, item lists and new orders as plain functions on a sync session.

FastAPI runs plain functions in a pool of 40 threads. The routes are those of the other modules: where everything that
it awaits has its result at once, a coroutine is a function that one step takes to its end, so nothing is written twice.
"""

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, NoReturn, cast

from fastapi import FastAPI
from fastapi.routing import APIRoute
from redis import Redis
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from fastapi_app import items, orders
from fastapi_app.cache import ItemCache
from fastapi_app.events import Publisher
from shared.ops.settings import Settings, engine_options, sqlalchemy_url

Endpoint = Callable[..., Any]

ENDPOINTS = (items.list_items, items.read_item, orders.create_order)


class Done:
    """A result that can be awaited."""

    __slots__ = ("_result",)

    def __init__(self, result: Any) -> None:
        self._result = result

    def __await__(self) -> "Done":
        """Itself, which ends before its first step."""
        return self

    def __next__(self) -> NoReturn:
        raise StopIteration(self._result)


class AtOnce:
    """A session, or a client, whose methods can be awaited: they wait in this thread, when they are called."""

    __slots__ = ("_waiting",)

    def __init__(self, waiting: Any) -> None:
        self._waiting = waiting

    def __getattr__(self, name: str) -> Callable[..., Done]:
        method = getattr(self._waiting, name)
        return lambda *args, **kwargs: Done(method(*args, **kwargs))


def init_app(app: FastAPI, settings: Settings) -> None:
    """Puts plain functions in the place of three routes. Opens no connection before the first request needs one."""
    engine = create_engine(sqlalchemy_url(settings.database_url), **engine_options(settings))
    client = Redis.from_url(settings.redis_url, socket_connect_timeout=1, socket_timeout=1)
    app.state.sync_engine, app.state.sync_cache = engine, client
    sessions = sessionmaker(engine, expire_on_commit=False)
    awaited, breaker = cast("Any", AtOnce(client)), app.state.cache_breaker
    ours = {"cache": ItemCache(awaited, settings, breaker), "push": Publisher(awaited, settings, breaker)}
    app.router.routes[:] = [
        _in_threads(route, plain(route.endpoint, sessions, ours))
        if isinstance(route, APIRoute) and route.endpoint in ENDPOINTS
        else route
        for route in app.router.routes
    ]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Closes the sync pool and cache client when the app stops, if there are any."""
    yield
    if hasattr(app.state, "sync_engine"):
        app.state.sync_engine.dispose()
        app.state.sync_cache.close()


def plain(endpoint: Endpoint, sessions: sessionmaker[Session], ours: dict[str, Any]) -> Endpoint:
    """A coroutine function as a plain one, which takes its session, and what else is ours, from here."""
    signature = inspect.signature(endpoint)
    taken = {name: value for name, value in ours.items() if name in signature.parameters}

    def answer(**given: Any) -> Any:
        with sessions() as session:
            return _finished(endpoint(**given, **taken, db=AtOnce(session)))

    answer.__name__, answer.__doc__ = endpoint.__name__, endpoint.__doc__
    left = [one for name, one in signature.parameters.items() if name not in {"db", *ours}]
    vars(answer)["__signature__"] = signature.replace(parameters=left)
    return answer


def _finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    raise RuntimeError("a plain route can't await anything but its session and Redis")


def _in_threads(route: APIRoute, endpoint: Endpoint) -> APIRoute:
    """The same route to another endpoint."""
    return type(route)(
        route.path,
        endpoint,
        methods=route.methods,
        tags=route.tags,
        dependencies=route.dependencies,
        response_model=route.response_model,
        status_code=route.status_code,
        responses=route.responses,
    )
