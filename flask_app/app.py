"""The assembly of the Flask app."""

from flask import Flask, Response

from flask_app import (
    auth,
    calls,
    compression,
    cors,
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
    other_model,
    outbox,
    predictions,
    probes,
    reports,
    sockets,
    storefront,
    users,
)
from flask_app.api import IdConverter, JsonProvider, TokenConverter
from flask_app.resources import open_resources
from shared.ops.settings import Settings
from shared.shop.errors import allow_header
from shared.shop.limits import BODY_MAX_BYTES


class Shop(Flask):
    """Flask with orjson, and with OPTIONS answered as the contract says."""

    json_provider_class = JsonProvider

    def make_default_options_response(self) -> Response:
        """204 with `Allow`, where Flask's own answer is 200."""
        response = super().make_default_options_response()
        response.status_code = 204
        response.headers["Allow"] = allow_header(response.allow)
        del response.headers["Content-Type"]
        return response


def create_app(settings: Settings) -> Flask:
    """The shop, ready to be served. Opens no connection before the first request needs one."""
    app = Shop(__name__, static_folder=None)
    # One byte more than is allowed: werkzeug cuts a chunked body off here, and what reaches this far is refused.
    app.config["MAX_CONTENT_LENGTH"] = BODY_MAX_BYTES + 1
    resources = app.extensions["shop"] = open_resources(settings)
    app.url_map.merge_slashes = False
    app.url_map.converters["id"] = IdConverter
    app.url_map.converters["token"] = TokenConverter
    edge.init_app(app, resources)
    compression.init_app(app)
    cors.init_app(app, settings)
    errors.init_app(app)
    database.init_app(app)
    for blueprint in (
        probes.bp,
        health.bp,
        metrics.bp,
        auth.bp,
        items.bp,
        users.bp,
        orders.bp,
        images.bp,
        exports.bp,
        predictions.bp,
        calls.bp,
        outbox.bp,
        late_orders.bp,
        reports.bp,
        events.bp,
    ):
        app.register_blueprint(blueprint)
    sockets.init_app(app, resources)
    storefront.init_app(app)
    if settings.views == "async":
        other_model.init_app(app)
    docs.init_app(app)
    return app
