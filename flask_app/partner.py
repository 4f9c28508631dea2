"""The partner service, called once or many times over."""

from collections.abc import Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from threading import BoundedSemaphore
from time import monotonic
from typing import Any

import httpx2

from shared.ops.settings import Settings
from shared.shop.errors import Unavailable, UpstreamError, UpstreamTimeout
from shared.shop.partner import answer_of


class Partner:
    """The partner service: a pool of connections, and a bound on the calls at once.

    Calls that run side by side have a thread each. Under gunicorn's gevent worker these threads are greenlets: it
    patches `threading` and `queue` before it loads the app, and the executor is built on nothing else.
    """

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url.rstrip("/")  # put together here: httpx2 takes longer to merge a query or a base
        most = settings.upstream_max_calls
        self._client = httpx2.Client(
            timeout=settings.upstream_timeout_s,
            limits=httpx2.Limits(max_connections=most, max_keepalive_connections=most),
            trust_env=False,
        )
        self._threads = ThreadPoolExecutor(most, "partner")
        self._free = BoundedSemaphore(most)
        self._patience_s = settings.upstream_timeout_s

    def call(self, asked: str) -> Mapping[str, Any]:
        """One call; raises UpstreamTimeout or UpstreamError, and Unavailable when too many are under way."""
        return self._call_before(monotonic() + self._patience_s, asked)

    def call_all(self, asked: list[str]) -> list[Mapping[str, Any]]:
        """Calls side by side; the answers in the order of the calls. All queue up at once, for threads and turns:
        who comes later waits behind the last of them.
        """
        give_up_s = monotonic() + self._patience_s
        calls = [self._threads.submit(self._call_before, give_up_s, one) for one in asked]
        for ended in wait(calls, return_when=FIRST_EXCEPTION).done:
            ended.result()  # raises what went wrong, if anything did
        return [call.result() for call in calls]

    def close(self) -> None:
        """Closes connections and ends threads."""
        self._threads.shutdown()
        self._client.close()

    def _call_before(self, give_up_s: float, asked: str) -> Mapping[str, Any]:
        """Takes a turn before that moment, asks, and gives the turn back."""
        patience_s = give_up_s - monotonic()
        if patience_s <= 0 or not self._free.acquire(timeout=patience_s):
            raise Unavailable("partner")
        try:
            answer = self._client.get(self._url + asked)
        except httpx2.TimeoutException:
            raise UpstreamTimeout from None
        except httpx2.HTTPError:
            raise UpstreamError from None
        finally:
            self._free.release()
        return answer_of(answer.status_code, answer.content)
