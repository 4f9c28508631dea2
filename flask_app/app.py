"""The assembly of the Flask app."""

from urllib.parse import parse_qsl

from flask import Flask, Request, Response
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.utils import cached_property

from flask_app import auth, database, docs, edge, errors, health, items, orders, probes, users
from flask_app.api import IdConverter, JsonProvider
from shared.limits import BODY_MAX_BYTES
from shared.settings import Settings


class ShopRequest(Request):
    """A request whose query is decoded as everybody else does: invalid UTF-8 becomes U+FFFD."""

    @cached_property
    def args(self) -> ImmutableMultiDict[str, str]:
        """The query parameters."""
        return ImmutableMultiDict(parse_qsl(self.query_string.decode("latin-1"), keep_blank_values=True))


class Shop(Flask):
    """Flask with orjson, and with OPTIONS answered as the contract says."""

    request_class = ShopRequest
    json_provider_class = JsonProvider

    def make_default_options_response(self) -> Response:
        """204 with `Allow`, where Flask's own answer is 200."""
        response = super().make_default_options_response()
        response.status_code = 204
        response.headers["Allow"] = errors.sorted_methods(response.allow)
        del response.headers["Content-Type"]
        return response


def create_app(settings: Settings) -> Flask:
    """The shop, ready to be served. Opens no connection before the first request needs one."""
    app = Shop(__name__, static_folder=None)
    # One byte more than is allowed: werkzeug cuts a chunked body off here, and what reaches this far is refused.
    app.config["MAX_CONTENT_LENGTH"] = BODY_MAX_BYTES + 1
    app.config["SETTINGS"] = settings
    app.url_map.merge_slashes = False
    app.url_map.converters["id"] = IdConverter
    edge.init_app(app)
    errors.init_app(app)
    database.init_app(app, settings)
    for blueprint in (probes.bp, health.bp, auth.bp, items.bp, users.bp, orders.bp):
        app.register_blueprint(blueprint)
    docs.init_app(app)
    return app
