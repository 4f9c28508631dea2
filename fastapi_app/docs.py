"""The OpenAPI document, generated from the models, with Swagger UI and ReDoc, served from local files."""

from typing import Any

from fastapi import FastAPI, Response
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.staticfiles import StaticFiles

from fastapi_app.schemas.problems import Problem
from shared.http import security
from shared.http.openapi import (
    DESCRIPTION,
    TITLE,
    UPLOAD_CONTENT,
    VERSION,
    docs_assets,
    problem_responses,
)
from shared.shop.limits import ID_MAX

# FastAPI's own problems, and its forms, which allow further parts.
_UNUSED = ("HTTPValidationError", "ValidationError", "Body_")


def init_app(app: FastAPI) -> None:
    """The document at /openapi.json and the pages at /docs and /redoc."""
    described = document(app)
    swagger = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=TITLE,
        swagger_js_url="/docs/assets/swagger-ui-bundle.js",
        swagger_css_url="/docs/assets/swagger-ui.css",
        swagger_favicon_url="/static/icon.png",
    )
    swagger.headers[security.POLICY] = security.policy_of(bytes(swagger.body).decode())
    reference = get_redoc_html(
        openapi_url="/openapi.json",
        title=TITLE,
        redoc_js_url="/docs/assets/redoc.standalone.js",
        redoc_favicon_url="/static/icon.png",
        with_google_fonts=False,
    )
    reference.headers[security.POLICY] = security.redoc_policy(bytes(reference.body).decode())

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> dict[str, Any]:
        return described

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return _copy_of(swagger)

    @app.get("/redoc", include_in_schema=False)
    async def redoc() -> Response:
        return _copy_of(reference)

    app.mount("/docs/assets", StaticFiles(directory=docs_assets()))


def _copy_of(page: Response) -> Response:
    """A new copy of the page: middlewares change the answer that they pass on."""
    return Response(page.body, headers=dict(page.headers))


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the app's routes, with the contract's problems for FastAPI's own error."""
    described = get_openapi(title=TITLE, version=VERSION, description=DESCRIPTION, routes=app.routes)
    schemas = described["components"]["schemas"]
    for unused in [name for name in schemas if name.startswith(_UNUSED)]:
        del schemas[unused]
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    schemas |= {"Problem": problem, **problem.pop("$defs")}
    for path, operations in described["paths"].items():
        for operation in operations.values():
            operation["responses"] = _responses(path, operation)
            if "multipart/form-data" in operation.get("requestBody", {}).get("content", {}):
                operation["requestBody"]["content"] = UPLOAD_CONTENT
    exact: dict[str, Any] = _with_exact_bounds(described)
    return exact


def _with_exact_bounds(node: Any) -> Any:
    """The document with bounds as the integers they are: FastAPI's own model holds them as doubles."""
    if isinstance(node, dict):
        return {key: _with_exact_bounds(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_with_exact_bounds(value) for value in node]
    return min(int(node), ID_MAX) if isinstance(node, float) and node.is_integer() else node


def _responses(path: str, operation: dict[str, Any]) -> dict[str, Any]:
    stated: dict[str, Any] = operation["responses"]
    refusals = [int(status) for status in stated if int(status) >= 400 and status != "422"]
    success = {status: answer for status, answer in stated.items() if int(status) < 400}
    return {**success, **problem_responses(path, operation, refusals)}
