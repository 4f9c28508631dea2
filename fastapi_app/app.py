"""The assembly of the FastAPI app."""

from fastapi import FastAPI

from fastapi_app import auth, database, docs, edge, errors, health, items, orders, probes, users
from shared.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """The shop, ready to be served. Opens no connection before the first request needs one."""
    app = FastAPI(
        lifespan=database.lifespan,
        redirect_slashes=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    edge.init_app(app)
    errors.init_app(app)
    database.init_app(app, settings)
    for router in (probes.router, health.router, auth.router, items.router, users.router, orders.router):
        # Not include_router: since FastAPI nests what it includes, every request is matched against each router's
        # routes and then against those of the chosen one again. The routers carry their prefix and tags already.
        app.router.routes.extend(router.routes)
    docs.init_app(app)
    return app
