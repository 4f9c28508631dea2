"""The assembly of the FastAPI app."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

from fastapi_app import (
    auth,
    calls,
    docs,
    errors,
    events,
    exports,
    health,
    images,
    items,
    late_orders,
    metrics,
    orders,
    other_model,
    outbox,
    predictions,
    probes,
    reports,
    sockets,
    storefront,
    users,
)
from fastapi_app.edge import Edge
from fastapi_app.resources import open_resources
from shared.http import compression, cors
from shared.http.storefront import STATIC
from shared.ops.draining import take_over
from shared.ops.settings import FLAT, FROZEN, Settings
from shared.ops.telemetry import set_log_level

# Text that is streamed or that is a file, and images. Few: the middleware goes through them on every request.
LEFT_AS_THEY_ARE = (
    "application/x-ndjson",
    "text/csv",
    "text/event-stream",
    "text/css",
    "text/javascript",
    "application/javascript",
    "image/*",
)
ROUTERS = (
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
    storefront.router,
)


class Shop(FastAPI):
    """FastAPI within the edge: what answers unexpected errors is outside of any middleware, and inside of this."""

    def build_middleware_stack(self) -> ASGIApp:
        """All of FastAPI's own, and the edge around it."""
        return Edge(super().build_middleware_stack())


def create_app(settings: Settings) -> FastAPI:
    """The shop, ready to be served. What it keeps open it opens when it starts, and closes when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if settings.drain_s is not None:
            take_over(settings.drain_s)  # uvicorn has set its handlers by now
        async with open_resources(settings) as resources, outbox.catching_up(resources.sessions):
            app.state.resources = resources
            if FROZEN in settings.tunings:
                gc.collect()
                gc.freeze()
            yield

    set_log_level(settings.log_level)
    app = Shop(lifespan=lifespan, redirect_slashes=False, openapi_url=None, docs_url=None, redoc_url=None)
    errors.init_app(app)
    add_middlewares(app, settings)
    # The routes of the other model come before those of the same paths.
    for router in (other_model.router, *ROUTERS) if settings.views == "sync" else ROUTERS:
        add_routes(app, router, flat=FLAT in settings.tunings)
    app.mount("/static", StaticFiles(directory=STATIC))
    docs.init_app(app)
    return app


def add_middlewares(app: FastAPI, settings: Settings) -> None:
    """Compression of what is text and sent whole, and around it the headers for scripts of other origins."""
    app.add_middleware(
        GZipMiddleware,
        minimum_size=compression.MIN_BYTES,
        compresslevel=compression.LEVEL,
        exclude_content_types=LEFT_AS_THEY_ARE,
    )
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"),
            allow_headers=cors.ALLOWED_HEADERS.split(", "),
            expose_headers=cors.EXPOSED_HEADERS.split(", "),
            max_age=cors.MAX_AGE_S,
        )


def add_routes(app: FastAPI, router: APIRouter, *, flat: bool) -> None:
    """The routes of a router. Nested, as documented, a request is matched against each router, then within it again."""
    if flat:
        app.router.routes.extend(router.routes)
    else:
        app.include_router(router)
