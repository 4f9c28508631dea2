"""How a view takes its input and gives its answer: decorators around marshmallow schemas.

What a decorator loads or dumps it also notes on the view, so that the document at /openapi.json
describes what the code does.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any
from uuid import UUID

import orjson
from asgiref.sync import async_to_sync
from flask import Response, request
from flask.json.provider import JSONProvider
from marshmallow import Schema, ValidationError
from werkzeug.routing import BaseConverter

from flask_app.schemas.problems import faults_of
from shared.http.body import is_json, parse_json
from shared.shop.errors import Invalid, MalformedJson, TooLarge, UnsupportedMediaType
from shared.shop.limits import BODY_MAX_BYTES, PATH_ID, PATH_UUID

View = Callable[..., Any]

# Security requirements as OpenAPI writes them.
SIGNED_IN: list[dict[str, list[str]]] = [{"bearer": []}]
MAYBE_SIGNED_IN: list[dict[str, list[str]]] = [{"bearer": []}, {}]


class IdConverter(BaseConverter):
    """A positive integer below 2**63; any other segment matches no route."""

    regex = PATH_ID

    def to_python(self, value: str) -> int:
        """The id."""
        return int(value)


class TokenConverter(BaseConverter):
    """A UUID in lower case with its hyphens; any other segment matches no route."""

    regex = PATH_UUID

    def to_python(self, value: str) -> UUID:
        """The UUID."""
        return UUID(value)


class JsonProvider(JSONProvider):
    """orjson, for what is no answer of a view: the OpenAPI document. Compact, UTF-8 unescaped."""

    def dumps(self, obj: Any, **_options: Any) -> str:
        """`obj` as JSON text."""
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        """The document in `s`."""
        return parse_json(s if isinstance(s, bytes) else s.encode())


def body(schema: type[Schema]) -> Callable[[View], View]:
    """Passes the request's JSON body, loaded by a schema, as the view's last argument."""
    loader = schema()

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            return view(*args, _load(loader, _json_body()), **kwargs)

        return note(wrapped, body=schema)

    return decorate


def body_and_query(body_schema: type[Schema], query_schema: type[Schema]) -> Callable[[View], View]:
    """Passes both as the view's last arguments; what is wrong with either is told in one answer."""
    body_loader, query_loader = body_schema(), query_schema()

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            document = _json_body()
            given = _all(lambda: _load(body_loader, document), lambda: _load_query(query_loader))
            return view(*args, *given, **kwargs)

        return note(wrapped, body=body_schema, query=query_schema)

    return decorate


def query(schema: type[Schema]) -> Callable[[View], View]:
    """Passes the query parameters that a schema names, loaded by it, as the view's last argument."""
    loader = schema()

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            return view(*args, _load_query(loader), **kwargs)

        return note(wrapped, query=schema)

    return decorate


def response(schema: type[Schema], status: int = 200) -> Callable[[View], View]:
    """Dumps what the view returns. A view may return a Response of its own, or `(value, headers)`.

    It may be a coroutine: Flask's documentation has it run in an event loop of its own, by asgiref.
    """
    dumper = schema()

    def decorate(view: View) -> View:
        answer = async_to_sync(view) if iscoroutinefunction(view) else view

        @wraps(view)
        def wrapped(*args: Any, **kwargs: Any) -> Response:
            value = answer(*args, **kwargs)
            if isinstance(value, Response):
                return value
            value, headers = value if isinstance(value, tuple) else (value, None)
            return json_response(orjson.dumps(dumper.dump(value)), status, headers)

        return note(wrapped, response=schema, status=status)

    return decorate


def no_content(view: View) -> View:
    """Answers 204 whatever the view returns."""

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Response:
        view(*args, **kwargs)
        answer = Response(status=204)
        del answer.headers["Content-Type"]
        return answer

    return note(wrapped, response=None, status=204)


def sends(content_types: Sequence[str], *also: int) -> Callable[[View], View]:
    """Notes that a view answers 200 with a file of one of these types, or by a status of `also` that is no problem."""
    return lambda view: note(view, response=None, status=200, sends=content_types, also=also)


def idempotent(view: View) -> View:
    """Notes that a view knows the header Idempotency-Key."""
    return note(view, idempotent=True)


def problems(*statuses: int) -> Callable[[View], View]:
    """Notes which problems a view answers with, beside those that its input and the database imply."""
    return lambda view: note(view, problems=statuses)


def json_response(data: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response from bytes."""
    return Response(data, status, headers, content_type="application/json")


def note(view: View, **facts: Any) -> View:
    """Adds facts about a view for the document."""
    vars(view)["api"] = {**getattr(view, "api", {}), **facts}
    return view


def _json_body() -> Any:
    if not is_json(request.headers.get("Content-Type")):
        raise UnsupportedMediaType
    data = request.get_data(cache=False)
    if len(data) > BODY_MAX_BYTES:
        raise TooLarge
    if len(data) < (request.content_length or 0):
        raise MalformedJson
    return parse_json(data)


def _load(loader: Schema, document: Any, prefix: str = "") -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = loader.load(document)
    except ValidationError as error:
        raise Invalid(faults_of(error.messages, prefix)) from None
    return loaded


def _all(*loads: Callable[[], dict[str, Any]]) -> list[dict[str, Any]]:
    """What each of them loads; raises Invalid with the faults of all."""
    loaded, faults = [], []
    for load in loads:
        try:
            loaded.append(load())
        except Invalid as refusal:
            faults += refusal.faults
    if faults:
        raise Invalid(faults)
    return loaded


def _load_query(loader: Schema) -> dict[str, Any]:
    """Known parameters; one given more than once is passed as a list, which the query fields refuse."""
    given = request.args.lists()
    known = {
        name: values[0] if len(values) == 1 else values for name, values in given if name in loader.fields
    }
    return _load(loader, known, "?")
