"""How a view takes its input and gives its answer: decorators around marshmallow schemas.

What a decorator loads or dumps it also notes on the view, so that the document at /openapi.json
describes what the code does. They stand in the order in which a request passes them, and its answer passes back:

    @bp.post("")            # the route
    @auth.signed_in         # the caller, before anything else is checked
    @tagged                 # an ETag on the answer, or 304: around what makes the answer
    @api.query(SomeQuery)   # what is loaded: passed to the view in this order, before what the path holds
    @api.body(SomeIn)
    @api.response(SomeOut)  # what is dumped: next to what is returned
    @api.problems(404)      # notes for the document alone, in any place
    def view(query, fields, some_id): ...
"""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, NoReturn, cast
from uuid import UUID

import orjson
from asgiref.sync import async_to_sync
from flask import Request, Response
from flask.json.provider import JSONProvider
from marshmallow import Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.routing import BaseConverter

from flask_app.schemas.problems import faults_of
from shared.http.body import parse_json
from shared.shop.errors import Invalid, TooLarge, UnsupportedMediaType
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


class Parser(FlaskParser):
    """webargs, as strict as the contract."""

    def load_json(self, req: Request, schema: Schema) -> Any:
        """The body, which has to be there, to be declared as JSON, and to be that."""
        if req.mimetype != "application/json":
            raise UnsupportedMediaType
        data = req.get_data(cache=False)
        if len(data) > BODY_MAX_BYTES:
            raise TooLarge
        return parse_json(data)

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """The parameters as text; as a list what is given more than once, for the fields to refuse."""
        return {name: given[0] if len(given) == 1 else given for name, given in req.args.lists()}

    def handle_error(self, error: ValidationError, *_: Any, **__: Any) -> NoReturn:
        """Refuses the request. webargs has put the messages under the location that they are about."""
        [(location, messages)] = cast("dict[str, Any]", error.messages).items()
        raise Invalid(faults_of(messages, location)) from None


parser = Parser()


def body(schema: type[Schema]) -> Callable[[View], View]:
    """Passes the request's JSON body, loaded by a schema, as the view's last argument."""
    loaded = parser.use_args(schema(), location="json")
    return lambda view: note(loaded(view), body=schema)


def query(schema: type[Schema]) -> Callable[[View], View]:
    """Passes the query parameters that a schema names, loaded by it, as the view's last argument."""
    loaded = parser.use_args(schema(), location="query")
    return lambda view: note(loaded(view), query=schema)


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
    """Records which problems a view answers with, in addition to those of its input and the database."""
    return lambda view: note(view, problems=statuses)


def json_response(data: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response from bytes."""
    return Response(data, status, headers, content_type="application/json")


def note(view: View, **facts: Any) -> View:
    """Adds facts about a view for the document."""
    vars(view)["api"] = {**getattr(view, "api", {}), **facts}
    return view
