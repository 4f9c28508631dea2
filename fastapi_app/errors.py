"""Any failure becomes a problem document."""

from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import (
    TimeoutError as PoolTimeout,
)
from starlette.exceptions import HTTPException

from fastapi_app.api import allowed_methods
from fastapi_app.schemas.problems import faults_of
from shared.ops.telemetry import logger_of
from shared.shop.errors import (
    PROBLEM_TYPE,
    Internal,
    Invalid,
    MalformedJson,
    MethodNotAllowed,
    NotFound,
    ShopError,
    Unavailable,
    allow_header,
    problem,
    status_of,
    violated,
)

logger = logger_of("shop.fastapi")


def init_app(app: FastAPI) -> None:
    """Registers the handlers; the most specific class wins."""
    app.add_exception_handler(ShopError, shop_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, validation_error)
    app.add_exception_handler(IntegrityError, integrity_error)
    app.add_exception_handler(DBAPIError, database_error)
    app.add_exception_handler(PoolTimeout, database_error)
    app.add_exception_handler(Exception, unexpected_error)


async def shop_error(_request: Request, error: Any) -> Response:
    """The problem document of a domain error."""
    return _answer(error)


async def http_error(request: Request, error: Any) -> Response:
    """What Starlette refuses on its own: no such route, no such method. OPTIONS is no route, and answered here."""
    if error.status_code == 405:
        allow = allow_header(allowed_methods(request))
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": allow})
        return _answer(MethodNotAllowed(allow))
    if error.status_code == 404:
        return _answer(NotFound("There is nothing at this path."))
    return _answer(MalformedJson()) if error.status_code < 500 else await unexpected_error(request, error)


async def validation_error(_request: Request, error: Any) -> Response:
    """What pydantic refuses, in the contract's words."""
    return _answer(Invalid(faults_of(error.errors())))


async def integrity_error(request: Request, error: Any) -> Response:
    """A constraint held where a check before it can't: uniqueness under a race, rows that others point to."""
    refusal = violated(error.orig, deleting=request.method == "DELETE")
    return await unexpected_error(request, error) if isinstance(refusal, Internal) else _answer(refusal)


async def database_error(request: Request, error: Any) -> Response:
    """503 when the database can't be reached or has no connection free; any other failure is a mistake of ours."""
    if isinstance(error, OperationalError | InterfaceError | PoolTimeout):
        logger.warning("database unavailable: %s", error)
        return _answer(Unavailable())
    return await unexpected_error(request, error)


async def unexpected_error(_request: Request, error: Exception) -> Response:
    """500, with the reason in the log and nowhere else."""
    logger.error("unexpected failure", exc_info=error)
    return _answer(Internal())


def _answer(error: ShopError) -> Response:
    return Response(orjson.dumps(problem(error)), status_of(error), error.headers, media_type=PROBLEM_TYPE)
