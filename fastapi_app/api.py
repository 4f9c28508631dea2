"""How a route takes its input: strict JSON bodies, query parameters given once, ids in paths."""

from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Path, Request, Response
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.security import HTTPBearer
from pydantic import WithJsonSchema
from starlette.convertors import Convertor, register_url_convertor
from starlette.datastructures import QueryParams

from fastapi_app.conditional import TAGGED, tagged
from fastapi_app.headers import header
from shared.http.body import is_json, parse_json
from shared.http.openapi import file_content
from shared.http.tokens import caller_of
from shared.shop.callers import Caller
from shared.shop.errors import TooLarge, UnsupportedMediaType
from shared.shop.limits import BODY_MAX_BYTES, ID_MAX, PATH_ID, PATH_UUID, TOKEN

Id = Annotated[int, Path(ge=1, le=ID_MAX)]
# All headers of that name: two of them are refused rather than one of them ignored. Documented as the one it should be.
IdempotencyKeys = Annotated[
    Sequence[str],
    Header(alias="Idempotency-Key", default_factory=tuple),
    WithJsonSchema({"type": "string", "pattern": f"^{TOKEN.pattern}$"}),
]
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


class OnceQueryParams(QueryParams):
    """Query parameters in which one given more than once is a list, which the query fields refuse."""

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of a parameter, or the list of its values if there are several."""
        values = self.getlist(key)
        return values[0] if len(values) == 1 else values or default


class StrictRequest(Request):
    """A request whose body is JSON of at most 1 MiB by the contract's rules, read before FastAPI looks at it."""

    @property
    def query_params(self) -> QueryParams:
        """The parameters, each of them once."""
        if not hasattr(self, "_query_params"):
            self._query_params = OnceQueryParams(self.scope["query_string"])
        return self._query_params

    async def load(self) -> None:
        """Reads and parses the body. Raises UnsupportedMediaType, TooLarge or MalformedJson."""
        if not is_json(header(self.scope, b"content-type")):
            raise UnsupportedMediaType
        if int(self.headers.get("content-length", 0)) > BODY_MAX_BYTES:
            raise TooLarge
        chunks, size = [], 0
        async for chunk in self.stream():
            size += len(chunk)
            if size > BODY_MAX_BYTES:
                raise TooLarge
            chunks.append(chunk)
        self._body = b"".join(chunks)
        self._json = parse_json(self._body)


class Guard(HTTPBearer):
    """A dependency that gives the caller: a token's, or None where it is optional and there is none."""

    def __init__(self, *, admin: bool = False, optional: bool = False) -> None:
        super().__init__(scheme_name="bearer", bearerFormat="JWT")
        self._admin = admin
        self._optional = optional

    async def __call__(self, request: Request) -> Caller | None:  # type: ignore[override]
        """The caller, as `check` found it before the body was read."""
        caller: Caller | None = request.state.caller
        return caller

    def check(self, request: Request) -> None:
        """Finds out who asks; raises Unauthorized or Forbidden."""
        authorization = header(request.scope, b"authorization")
        if authorization is None and self._optional:
            request.state.caller = None
            return
        request.state.caller = caller_of(authorization, request.app.state.settings.jwt_secret)
        if self._admin:
            request.state.caller.must_be_admin()


class StrictRoute(APIRoute):
    """A route that asks its guard before it reads anything else, and reads its request through StrictRequest.

    One that documents a 304 answers it. One without guard and input is left as FastAPI made it.
    """

    request_class = StrictRequest

    def get_route_handler(self) -> _Handler:
        """FastAPI's handler behind the strict request."""
        handle = super().get_route_handler()
        if self.responses.keys() & TAGGED:
            handle = tagged(handle)
        takes_body = self.body_field is not None
        guards = [one.call for one in self.dependant.dependencies if isinstance(one.call, Guard)]
        if not takes_body and not guards and not self.dependant.query_params:
            return handle

        async def handle_strictly(request: Request) -> Response:
            for guard in guards:
                guard.check(request)
            strict = self.request_class(request.scope, request.receive)
            if takes_body:
                await strict.load()
            return await handle(strict)

        return handle_strictly


def sends(content_types: Iterable[str], *also: int) -> dict[int | str, dict[str, Any]]:
    """What `responses` says of a route that answers 200 with a file; `also`: further statuses that are no problems.

    These are written as text: a 304 as a number would have StrictRoute answer it, which such a route does itself.
    """
    return {200: {"content": file_content(content_types)}, **{str(status): {} for status in also}}


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
