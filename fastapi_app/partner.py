"""The partner service, called by the apps."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2

from shared.ops.settings import Settings
from shared.shop.errors import Unavailable, UpstreamError, UpstreamTimeout
from shared.shop.partner import answer_of


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
