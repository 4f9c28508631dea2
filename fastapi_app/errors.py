"""Any failure becomes a problem document."""

from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import IntegrityError
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from fastapi_app.api import allowed_methods, media_type_of
from fastapi_app.schemas.problems import faults_of
from shared.http.uploads import FORM, UPLOAD_MAX
from shared.ops.telemetry import logger_of
from shared.shop.errors import (
    PROBLEM_TYPE,
    UNAVAILABLE,
    Internal,
    Invalid,
    MalformedBody,
    MalformedJson,
    MethodNotAllowed,
    NotFound,
    ShopError,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
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
    for away in UNAVAILABLE:
        app.add_exception_handler(away, database_error)
    app.add_exception_handler(Exception, unexpected_error)


async def shop_error(_request: Request, error: Any) -> Response:
    """The problem document of a domain error."""
    return _answer(error)


async def http_error(request: Request, error: Any) -> Response:
    """What Starlette and FastAPI refuse on their own. OPTIONS is no route, and answered here."""
    if error.status_code == 405:
        allow = allow_header(allowed_methods(request))
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": allow})
        return _answer(MethodNotAllowed(allow))
    if error.status_code == 404:
        return _answer(NotFound("There is nothing at this path."))
    form = media_type_of(request.headers.get("content-type")) == FORM
    if error.status_code == 413:
        return _answer(TooLarge(UPLOAD_MAX) if form else TooLarge())
    if error.status_code < 500:
        return _answer(MalformedBody() if form else MalformedJson())
    return await unexpected_error(request, error)


async def validation_error(request: Request, error: Any) -> Response:
    """What pydantic refuses: values that don't fit, or a body that was never parsed, since it is none of ours."""
    return _answer(_no_document(request, error) or Invalid(faults_of(error.errors())))


def _no_document(request: Request, error: RequestValidationError) -> ShopError | None:
    """What is wrong with a body that FastAPI could not parse; None when it could, or when there is none to parse."""
    declared, body = media_type_of(request.headers.get("content-type")), error.body
    if all(one["loc"][0] != "body" for one in error.errors()):
        return None
    if isinstance(body, FormData):
        return None if declared == FORM else UnsupportedMediaType(f"Send the body as {FORM}.")
    if declared != "application/json":
        return UnsupportedMediaType()
    unparsed = body is None or (isinstance(body, bytes) and body.strip() != b"null")
    return MalformedJson() if unparsed else None


async def integrity_error(request: Request, error: Any) -> Response:
    """A constraint held where a check before it can't: uniqueness under a race, rows that others point to."""
    refusal = violated(error.orig, deleting=request.method == "DELETE")
    return await unexpected_error(request, error) if isinstance(refusal, Internal) else _answer(refusal)


async def database_error(_request: Request, error: Any) -> Response:
    """503 when the database can't be reached or has no connection free."""
    logger.warning("database unavailable: %s", error)
    return _answer(Unavailable())


async def unexpected_error(_request: Request, error: Exception) -> Response:
    """500, with the reason in the log and nowhere else."""
    logger.error("unexpected failure", exc_info=error)
    return _answer(Internal())


def _answer(error: ShopError) -> Response:
    return Response(orjson.dumps(problem(error)), status_of(error), error.headers, media_type=PROBLEM_TYPE)
