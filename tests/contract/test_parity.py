"""The two apps answer alike whatever they are asked: byte for byte where it succeeds, else in what a client acts on.

The number of requests follows the hypothesis profile, chosen by the environment variable HYPOTHESIS_PROFILE:
`quick` (the default; some 2,000 requests) or `nightly` (50,000 and more).
Failures are not shrunk: the databases go on changing, so a request tried again meets another state.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from loadtests.machine.databases import database_copy
from loadtests.machine.services import Services
from shared.http.proxies import trusted_proxies
from shared.ops.settings import Settings
from tests.support.clients import fastapi_client, flask_client
from tests.support.compare import same_answer
from tests.support.generated import ORIGIN, Request, requests
from tests.support.generated_bodies import changes, items, texts
from tests.support.shop import JWT_SECRET

EVERYBODY = trusted_proxies("0.0.0.0/0, ::/0, unix")
Pair = tuple[httpx2.Client, httpx2.Client]
JSON = (("Content-Type", "application/json"),)
_COMMON: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "print_blob": True,
    "phases": (Phase.explicit, Phase.generate),
    "suppress_health_check": list(HealthCheck),
}
settings.register_profile("quick", max_examples=600, stateful_step_count=30, **_COMMON)
settings.register_profile("nightly", max_examples=26_000, stateful_step_count=60, **_COMMON)
PROFILE = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
WALKS = settings(PROFILE, max_examples=PROFILE.max_examples // 60)


@pytest.fixture(scope="module")
def twins(
    running_services: Services, seeded_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    """Both apps for the whole module: every request goes to both, so their databases stay the same."""
    with ExitStack() as opened:

        def fresh() -> Settings:
            copy = database_copy(running_services.database_url, seeded_database)
            media = str(tmp_path_factory.mktemp("media"))
            url = opened.enter_context(copy)
            plain = Settings(url, running_services.redis_url, JWT_SECRET, media_dir=media)
            return replace(plain, cors_origins=frozenset({ORIGIN}), trusted_proxies=EVERYBODY)

        first, second = fresh(), fresh()
        yield opened.enter_context(flask_client(first)), opened.enter_context(fastapi_client(second))


# Starlette leaves the file of a part that does not end to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@PROFILE
@given(request=requests())
@example(request=Request("GET", "//healthz", well_formed=False))
@example(request=Request("GET", "/api/items?limit=" + "9" * 5000))
@example(request=Request("GET", "/api/items?limit=1;offset=2&q=%ff&q", well_formed=False))
@example(request=Request("POST", "/api/items", JSON, b"null"))
@example(request=Request("POST", "/api/items", JSON, b"{}", authorization=None, faulty_parts=2))
@example(request=Request("DELETE", "/api/items/999"))
@example(request=Request("GET", "/api/items/%2531"))
@example(request=Request("TRACE", "/api/orders/1/cancel"))
def test_any_request_gets_the_same_answer(twins: Pair, request: Request) -> None:
    same_answer(twins, request)


class Walk(RuleBasedStateMachine):
    """A walk through the shop: rows are made, changed, ordered, cancelled and deleted on both sides alike."""

    twins: Pair

    def __init__(self) -> None:
        super().__init__()
        self.items: list[str] = []
        self.orders: list[str] = []

    def send(self, method: str, target: str, document: Any = None, **headers: str) -> httpx2.Response:
        """The common answer to a request with a JSON body, or none."""
        given_headers = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        if document is None:
            return same_answer(self.twins, Request(method, target, given_headers))
        body = httpx2.Request("POST", "http://x", json=document).read()
        return same_answer(self.twins, Request(method, target, JSON + given_headers, body))

    @rule(item=items)
    def create_an_item(self, item: Any) -> None:
        self.items.append(self.send("POST", "/api/items", item).headers["location"])

    @rule(batch=st.lists(items, min_size=1, max_size=3))
    def create_a_batch(self, batch: list[Any]) -> None:
        made = self.send("POST", "/api/items/batch", {"items": batch}).json()["items"]
        self.items += [f"/api/items/{item['id']}" for item in made]

    @precondition(lambda self: self.items)
    @rule(data=st.data(), item=items, method=st.sampled_from(["PUT", "PATCH"]))
    def change_an_item(self, data: st.DataObject, item: Any, method: str) -> None:
        self.send(method, data.draw(st.sampled_from(self.items)), item)

    @precondition(lambda self: self.items)
    @rule(data=st.data())
    def delete_an_item(self, data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(self.items))
        assert self.send("DELETE", path).status_code in {204, 404, 409}
        self.send("GET", path)

    @precondition(lambda self: self.items)
    @rule(data=st.data(), quantity=st.sampled_from([1, 2, 100]), key=st.sampled_from(["", "a", "b"]))
    def order(self, data: st.DataObject, quantity: int, key: str) -> None:
        chosen = data.draw(st.lists(st.sampled_from(self.items), min_size=1, max_size=3, unique=True))
        wanted = [{"item_id": int(path.rpartition("/")[2]), "quantity": quantity} for path in chosen]
        headers = {"Idempotency_Key": key} if key else {}
        answer = self.send("POST", "/api/orders", {"user_id": 3, "lines": wanted}, **headers)
        self.orders.append(answer.headers.get("location", "/api/orders/1"))

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(self.orders))
        assert self.send("POST", f"{path}/cancel").status_code in {200, 409}
        self.send("GET", path)

    @rule(change=changes, user_id=st.integers(1, 5))
    def change_a_user(self, change: Any, user_id: int) -> None:
        self.send("PATCH", f"/api/users/{user_id}", change)

    @rule(q=texts, sort=st.sampled_from(["id", "-id", "name", "-name", "price", "-price"]))
    def list_items(self, q: str, sort: str) -> None:
        query = str(httpx2.QueryParams({"q": q, "sort": sort, "limit": "5"}))
        self.send("GET", f"/api/items?{query}")


def test_any_walk_through_the_shop_is_the_same(twins: Pair) -> None:
    class Here(Walk):
        pass

    Here.twins = twins
    run_state_machine_as_test(Here, settings=WALKS)
