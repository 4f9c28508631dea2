"""The assembly of the FastAPI app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp

from fastapi_app import (
    auth,
    cache,
    calls,
    compression,
    database,
    docs,
    edge,
    errors,
    events,
    exports,
    health,
    images,
    items,
    late_orders,
    metrics,
    orders,
    outbox,
    predictions,
    probes,
    reports,
    sockets,
    storefront,
    sync_routes,
    users,
)
from shared.ops.draining import take_over
from shared.ops.settings import Settings


class Shop(FastAPI):
    """FastAPI within the edge: what answers unexpected errors is outside of any middleware, and inside of this."""

    def build_middleware_stack(self) -> ASGIApp:
        """All of FastAPI's own, and the edge around it."""
        return edge.Edge(super().build_middleware_stack(), self)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """From start to stop; what was opened last is closed first."""
    if app.state.settings.drain_s is not None:
        take_over(app.state.settings.drain_s)  # uvicorn has set its handlers by now
    async with (
        database.lifespan(app),
        calls.lifespan(app),
        events.lifespan(app),
        sync_routes.lifespan(app),
        reports.lifespan(app),
        outbox.lifespan(app),
    ):
        yield


def create_app(settings: Settings) -> FastAPI:
    """The shop, ready to be served. Opens no connection before the first request needs one."""
    app = Shop(
        lifespan=lifespan,
        redirect_slashes=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    compression.init_app(app)
    edge.init_app(app)
    errors.init_app(app)
    database.init_app(app, settings)
    cache.init_app(app, settings)
    reports.init_app(app, settings)
    calls.init_app(app, settings)
    events.init_app(app, settings)
    for router in (
        probes.router,
        health.router,
        metrics.router,
        auth.router,
        items.router,
        users.router,
        orders.router,
        images.router,
        exports.router,
        predictions.router,
        calls.router,
        outbox.router,
        late_orders.router,
        reports.router,
        events.router,
        sockets.router,
    ):
        # Not include_router: since FastAPI nests what it includes, every request is matched against each router's
        # routes and then against those of the chosen one again. The routers carry their prefix and tags already.
        app.router.routes.extend(router.routes)
    storefront.init_app(app)
    if settings.views == "sync":
        sync_routes.init_app(app, settings)
    docs.init_app(app)
    return app
