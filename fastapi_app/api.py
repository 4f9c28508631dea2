"""How a route takes its input where the contract is stricter than FastAPI: JSON, repeated parameters, ids in paths."""

from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import Header, Path, Request, Response
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel, WithJsonSchema
from starlette.convertors import Convertor, register_url_convertor

from fastapi_app.conditional import TAGGED, tagged
from shared.http.body import parse_json
from shared.http.openapi import file_content
from shared.shop.errors import Invalid, MalformedJson
from shared.shop.faults import fault
from shared.shop.limits import ID_MAX, PATH_ID, PATH_UUID, TOKEN

Id = Annotated[int, Path(ge=1, le=ID_MAX)]
_TOKEN = f"^{TOKEN.pattern}$"
IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", pattern=_TOKEN),
    WithJsonSchema({"type": "string", "pattern": _TOKEN}),
]
IfMatch = Annotated[str | None, Header(include_in_schema=False)]
_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class IdConvertor(Convertor[int]):
    """A positive integer below 2**63; any other segment matches no route."""

    regex = PATH_ID

    def convert(self, value: str) -> int:
        """The id."""
        return int(value)

    def to_string(self, value: int) -> str:
        """The path segment."""
        return str(value)


class TokenConvertor(Convertor[UUID]):
    """A UUID in lower case with its hyphens; any other segment matches no route."""

    regex = PATH_UUID

    def convert(self, value: str) -> UUID:
        """The UUID."""
        return UUID(value)

    def to_string(self, value: UUID) -> str:
        """The path segment."""
        return str(value)


register_url_convertor("id", IdConvertor())
register_url_convertor("token", TokenConvertor())


class JsonRequest(Request):
    """A request whose JSON is read by the contract's rules, which are stricter than Python's."""

    async def json(self) -> Any:
        """The document; the body as it is where it is none, as FastAPI leaves one of another type.

        It is refused when it is validated, which comes after the token is checked. `null` is left too, since FastAPI
        takes None for no body.
        """
        body = await self.body()
        try:
            document = parse_json(body)
        except MalformedJson:
            return body
        return body if document is None else document


class ShopRoute(APIRoute):
    """A route that reads JSON by the contract's rules, refuses repeated parameters, and tags what documents a 304."""

    def get_route_handler(self) -> _Handler:
        """FastAPI's handler with these around it, where the route has use for them."""
        handle = super().get_route_handler()
        if self.responses.keys() & TAGGED:
            handle = tagged(handle)
        if self.body_field is not None:
            handle = _reading_json(handle)
        names = _query_names(self)
        return _each_once(handle, names) if names else handle


def _reading_json(handle: _Handler) -> _Handler:
    async def handle_json(request: Request) -> Response:
        return await handle(JsonRequest(request.scope, request.receive))

    return handle_json


def _each_once(handle: _Handler, names: set[str]) -> _Handler:
    async def handle_once(request: Request) -> Response:
        if b"&" in request.scope["query_string"]:
            given = Counter(name for name, _ in request.query_params.multi_items())
            twice = [name for name in names if given[name] > 1]
            if twice:
                raise Invalid(fault(f"?{name}", "not_allowed") for name in twice)
        return await handle(request)

    return handle_once


def _query_names(route: APIRoute) -> set[str]:
    """The query parameters that a route knows: the fields of its model."""
    models = [parameter.field_info.annotation for parameter in route.dependant.query_params]
    return {name for model in models for name in cast("type[BaseModel]", model).model_fields}


def sends(content_types: Iterable[str], *also: int) -> dict[int | str, dict[str, Any]]:
    """What `responses` says of a route that answers 200 with a file; `also`: further statuses that are no problems.

    These are written as text: a 304 as a number would have ShopRoute answer it, which such a route does itself.
    """
    return {200: {"content": file_content(content_types)}, **{str(status): {} for status in also}}


def media_type_of(content_type: str | None) -> str:
    """What a Content-Type header declares, parameters aside; "" where there is none."""
    return (content_type or "").partition(";")[0].strip().lower()


def is_head(request: Request) -> bool:
    """Whether only the head of the answer is sent: HEAD is routed as GET."""
    return bool(request.scope.get("headless", False))


def allowed_methods(request: Request) -> set[str]:
    """The methods that any route answers at the path of a request, HEAD and OPTIONS among them."""
    methods = {"OPTIONS"}
    for context in iter_route_contexts(request.app.routes):
        pattern = getattr(context, "path_regex", None)
        if pattern is not None and pattern.match(request.scope["path"]):
            methods |= context.methods or {"GET"}
    return methods | {"HEAD"} if "GET" in methods else methods
