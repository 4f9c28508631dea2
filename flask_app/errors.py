"""Any failure becomes a problem document."""

import orjson
from flask import Flask, Response, request
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
)
from sqlalchemy.exc import (
    TimeoutError as PoolTimeout,
)
from werkzeug.exceptions import (
    HTTPException,
    RequestedRangeNotSatisfiable,
    RequestEntityTooLarge,
)
from werkzeug.exceptions import (
    MethodNotAllowed as WrongMethod,
)
from werkzeug.exceptions import (
    NotFound as NoRoute,
)
from werkzeug.routing.exceptions import WebsocketMismatch

from shared.ops.telemetry import logger_of
from shared.shop.errors import (
    PROBLEM_TYPE,
    UNAVAILABLE,
    Internal,
    MalformedJson,
    MethodNotAllowed,
    NotFound,
    RangeNotSatisfiable,
    ShopError,
    TooLarge,
    Unavailable,
    allow_header,
    problem,
    status_of,
    violated,
)

logger = logger_of("shop.flask")


def init_app(app: Flask) -> None:
    """Registers the handlers; the most specific class wins."""
    app.register_error_handler(ShopError, shop_error)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(IntegrityError, integrity_error)
    app.register_error_handler(DBAPIError, database_error)
    app.register_error_handler(PoolTimeout, database_error)
    app.register_error_handler(Exception, unexpected_error)


def shop_error(error: ShopError) -> Response:
    """The problem document of a domain error."""
    response = Response(orjson.dumps(problem(error)), status_of(error), content_type=PROBLEM_TYPE)
    response.headers.extend(error.headers)
    return response


def http_error(error: HTTPException) -> Response:
    """What werkzeug refuses on its own."""
    if isinstance(error, NoRoute | WebsocketMismatch):
        return shop_error(NotFound("There is nothing at this path."))
    if isinstance(error, WrongMethod):
        return shop_error(MethodNotAllowed(allow_header(error.valid_methods or ())))
    if isinstance(error, RequestEntityTooLarge):
        return shop_error(TooLarge())
    if isinstance(error, RequestedRangeNotSatisfiable):
        return shop_error(RangeNotSatisfiable(error.length or 0))
    return shop_error(MalformedJson()) if error.code and error.code < 500 else unexpected_error(error)


def integrity_error(error: IntegrityError) -> Response:
    """A constraint held where a check before it can't: uniqueness under a race, rows that others point to."""
    refusal = violated(error.orig, deleting=request.method == "DELETE")
    return unexpected_error(error) if isinstance(refusal, Internal) else shop_error(refusal)


def database_error(error: Exception) -> Response:
    """503 when the database can't be reached or has no connection free; any other failure is a mistake of ours."""
    if isinstance(error, UNAVAILABLE):
        logger.warning("database unavailable: %s", error)
        return shop_error(Unavailable())
    return unexpected_error(error)


def unexpected_error(error: Exception) -> Response:
    """500, with the reason in the log and nowhere else."""
    logger.error("unexpected failure", exc_info=error)
    return shop_error(Internal())
