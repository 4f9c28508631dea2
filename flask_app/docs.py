"""The OpenAPI document, generated from the schemas by apispec; Flasgger serves it with Swagger UI, from local files."""

import re
from functools import partial
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flasgger import Swagger
from flasgger.base import APIDocsView, APISpecsView
from flask import Blueprint, Flask, Response, make_response, render_template
from werkzeug.routing import Rule

from flask_app.schemas.base import Patch
from flask_app.schemas.problems import Problem
from flask_app.static import serve_files
from shared.http import security
from shared.http.openapi import (
    DESCRIPTION,
    TITLE,
    UPLOAD_CONTENT,
    VERSION,
    docs_assets,
    file_content,
    problem_responses,
)
from shared.shop.limits import ID_MAX, TOKEN

_SECURITY_SCHEME = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}

# What the converters of flask_app/api.py let pass.
_IN_PATHS = {
    "id": {"type": "integer", "minimum": 1, "maximum": ID_MAX},
    "token": {"type": "string", "format": "uuid"},
}


class DocsView(APIDocsView):  # type: ignore[misc]  # flasgger has no types
    """Flasgger's page, and which of the scripts in it may run."""

    def get(self) -> Response:
        """The page."""
        page = make_response(super().get())
        page.headers[security.POLICY] = security.policy_of(page.get_data(as_text=True))
        return page


class LocalSwagger(Swagger):  # type: ignore[misc]  # flasgger has no types
    """Flasgger with our routes alone, and without a hook on every response."""

    def register_views(self, app: Flask) -> None:
        """The document at /openapi.json, and the pages at /docs and /redoc."""
        bp = Blueprint("flasgger", __name__)
        serve_files(bp, "/docs/assets", docs_assets())
        loader = partial(self.get_apispecs, endpoint="openapi")
        bp.add_url_rule("/openapi.json", view_func=APISpecsView.as_view("openapi", loader=loader))
        bp.add_url_rule("/docs", view_func=DocsView.as_view("docs", view_args={"config": self.config}))
        bp.add_url_rule("/redoc", view_func=show_reference)
        app.register_blueprint(bp)

    def add_headers(self, app: Flask) -> None:
        """None are wanted."""


def show_reference() -> Response:
    """ReDoc's page, and which of the styles in it may be used."""
    page = make_response(render_template("redoc.html", title=TITLE))
    page.headers[security.POLICY] = security.redoc_policy(page.get_data(as_text=True))
    return page


def init_app(app: Flask) -> None:
    """Documents every view that has noted what it takes and gives."""
    config = {
        "openapi": "3.1.0",
        "title": TITLE,
        "headers": [],
        "specs": [{"endpoint": "openapi"}],
        "ignore_verbs": (),
    }
    LocalSwagger(app, config=config, template=document(app))


def document(app: Flask) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the app's views."""
    spec = APISpec(
        title=TITLE,
        version=VERSION,
        openapi_version="3.1.0",
        info={"description": DESCRIPTION},
        plugins=[MarshmallowPlugin()],
    )
    spec.components.schema("Problem", schema=Problem)
    spec.components.security_scheme("bearer", _SECURITY_SCHEME)
    for patch in Patch.__subclasses__():
        spec.components.schema(patch.__name__, {"minProperties": 1}, schema=patch)
    for rule in app.url_map.iter_rules():
        facts = getattr(app.view_functions[rule.endpoint], "api", None)
        if facts is not None and "response" in facts:  # HTML pages note none
            path = re.sub(r"<\w+:(\w+)>", r"{\1}", rule.rule)
            method = next(iter((rule.methods or set()) - {"HEAD", "OPTIONS"})).lower()
            spec.path(path, operations={method: _operation(app, rule, path, facts)})
    described: dict[str, Any] = spec.to_dict()
    return described


def _operation(app: Flask, rule: Rule, path: str, facts: dict[str, Any]) -> dict[str, Any]:
    blueprint, _, name = rule.endpoint.rpartition(".")
    operation: dict[str, Any] = {
        "tags": [blueprint],
        "summary": (app.view_functions[rule.endpoint].__doc__ or "").strip(),
        "operationId": name,
        "parameters": _parameters(rule, facts),
    }
    if "body" in facts:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": facts["body"]}},
        }
    if "upload" in facts:
        operation["requestBody"] = {"required": True, "content": UPLOAD_CONTENT}
    stated = (*facts.get("problems", ()), *((409,) if facts.get("idempotent") else ()))
    if "security" in facts:
        operation["security"] = facts["security"]
    operation["responses"] = {
        str(facts["status"]): _success(facts),
        **({"304": {"description": "Not modified"}} if "conditional" in facts else {}),
        **{str(status): {"description": "Done"} for status in facts.get("also", ())},
        **problem_responses(path, operation, stated),
    }
    return operation


def _parameters(rule: Rule, facts: dict[str, Any]) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"in": "path", "name": name, "required": True, "schema": _IN_PATHS[kind]}
        for kind, name in re.findall(r"<(\w+):(\w+)>", rule.rule)
    ]
    if "query" in facts:
        parameters.append({"in": "query", "schema": facts["query"]})
    if facts.get("idempotent"):
        token = {"type": "string", "pattern": f"^{TOKEN.pattern}$"}
        parameters.append({"in": "header", "name": "Idempotency-Key", "required": False, "schema": token})
    return parameters


def _success(facts: dict[str, Any]) -> dict[str, Any]:
    if "sends" in facts:
        return {"description": "Done", "content": file_content(facts["sends"])}
    if facts["response"] is None:
        return {"description": "Done"}
    return {"description": "Done", "content": {"application/json": {"schema": facts["response"]}}}
