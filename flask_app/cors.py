"""Which answers a browser may hand to scripts of another origin: flask-cors, where FastAPI brings CORSMiddleware."""

import re

from flask import Flask, Response
from flask_cors import CORS

from shared.http.cors import ALLOWED_HEADERS, EXPOSED_HEADERS, MAX_AGE_S
from shared.ops.settings import Settings


def init_app(app: Flask, settings: Settings) -> None:
    """Hooks CORS into the app, if any origin may use it."""
    if settings.cors_origins:
        # As patterns: flask-cors takes a name with brackets in it, such as an IPv6 address, for a pattern itself.
        origins = [re.compile(rf"{re.escape(origin)}\Z") for origin in settings.cors_origins]
        CORS(
            app,
            origins=origins,
            allow_headers=ALLOWED_HEADERS.split(", "),
            expose_headers=EXPOSED_HEADERS,
            max_age=MAX_AGE_S,
            vary_header=False,
            intercept_exceptions=False,
        )
        app.after_request(_varies)


def _varies(response: Response) -> Response:
    """Marks every answer as dependent on the origin; flask-cors marks only those that it grants."""
    response.vary.add("Origin")
    return response
