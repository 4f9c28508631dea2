"""Calling others: a partner service, once or many times over."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx2
from fastapi import APIRouter, FastAPI, Query, Request

from fastapi_app.api import StrictRoute
from fastapi_app.schemas.calls import Called, CallQuery, FannedOut, FanOutQuery
from shared.ops.settings import Settings
from shared.shop.errors import Unavailable, UpstreamError, UpstreamTimeout
from shared.shop.partner import answer_of, wish, wishes

router = APIRouter(prefix="/api/partner", tags=["partner"], route_class=StrictRoute)


def init_app(app: FastAPI, settings: Settings) -> None:
    """Gives the app its partner, if there is one."""
    app.state.partner = Partner(settings.upstream_url, settings) if settings.upstream_url else None


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Closes the connections to the partner when the app stops."""
    yield
    if app.state.partner:
        await app.state.partner.close()


class Partner:
    """The partner service: a pool of connections, and a bound on the calls at once."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url.rstrip("/")  # put together here: httpx2 takes longer to merge a query or a base
        most = settings.upstream_max_calls
        self._client = httpx2.AsyncClient(
            timeout=settings.upstream_timeout_s,
            limits=httpx2.Limits(max_connections=most, max_keepalive_connections=most),
            trust_env=False,
        )
        self._free = asyncio.BoundedSemaphore(most)
        self._patience_s = settings.upstream_timeout_s

    async def call(self, asked: str) -> Mapping[str, Any]:
        """One call; raises UpstreamTimeout or UpstreamError, and Unavailable when too many are under way."""
        await self._take_turn()
        try:
            answer = await self._client.get(self._url + asked)
        except httpx2.TimeoutException:
            raise UpstreamTimeout from None
        except httpx2.HTTPError:
            raise UpstreamError from None
        finally:
            self._free.release()
        return answer_of(answer.status_code, answer.content)

    async def call_all(self, asked: list[str]) -> list[Mapping[str, Any]]:
        """Calls side by side; the answers in the order of the calls."""
        return await asyncio.gather(*map(self.call, asked))

    async def close(self) -> None:
        """Closes connections."""
        await self._client.aclose()

    async def _take_turn(self) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                await self._free.acquire()
        except TimeoutError:
            raise Unavailable("partner") from None


def partner(request: Request) -> Partner:
    """The partner; raises Unavailable when none was named."""
    found: Partner | None = request.app.state.partner
    if found is None:
        raise Unavailable("partner")
    return found


@router.get("/one", response_model=Called, responses={502: {}, 503: {}, 504: {}})
async def call_once(query: Annotated[CallQuery, Query()], request: Request) -> Mapping[str, Any]:
    """Call the partner once."""
    return await partner(request).call(wish(query.delay_ms, status=query.status, hang=query.hang))


@router.get("/many", response_model=FannedOut, responses={502: {}, 503: {}, 504: {}})
async def call_often(query: Annotated[FanOutQuery, Query()], request: Request) -> dict[str, Any]:
    """Call the partner n times at once."""
    return {"calls": await partner(request).call_all(wishes(query.n, query.delay_ms)), "n": query.n}
