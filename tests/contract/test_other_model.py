"""The other model keeps the same contract: coroutines in Flask, plain functions in FastAPI.

The tests are those of items, lists and orders that go through the three routes which have both forms.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Literal

import httpx2
import pytest

from shared.ops.settings import Settings, settings_from
from tests.contract import test_items, test_lists, test_orders
from tests.support.clients import Opened, fastapi_client, flask_client
from tests.support.openapi import normalised_paths
from tests.support.shop import anonymous, problem

REUSED = (
    test_items.test_an_item_is_read_as_it_was_created,
    test_items.test_json_is_compact_and_unescaped,
    test_items.test_an_item_that_does_not_exist_is_404,
    test_lists.test_beyond_the_end_a_page_is_empty,
    test_lists.test_bounds_of_a_page_are_held,
    test_lists.test_price_bounds_include_their_ends,
    test_lists.test_equal_sort_keys_are_ordered_by_id,
    test_lists.test_total_counts_all_rows_of_the_filter,
    test_orders.test_an_order_takes_the_stock_at_the_price_of_the_moment,
    test_orders.test_all_is_refused_when_one_item_is_short_and_every_such_item_is_named,
    test_orders.test_an_order_of_an_unknown_item_is_404_and_takes_nothing,
    test_orders.test_an_order_of_an_unknown_user_is_404_and_takes_nothing,
    test_orders.test_a_broken_order_is_refused,
    test_orders.test_a_repeated_key_gives_the_first_answer,
    test_orders.test_another_order_under_the_key_is_a_conflict,
    test_orders.test_a_refused_order_does_not_use_up_its_key,
    test_orders.test_concurrent_repeats_make_one_order,
)
globals().update({test.__name__: test for test in REUSED})


# By the names that tests marked @in_process ask for.
OTHERS: dict[str, tuple[Literal["sync", "async"], Opened]] = {
    "flask_in_process": ("async", flask_client),
    "fastapi_in_process": ("sync", fastapi_client),
}


@pytest.fixture(scope="module", params=list(OTHERS))
def client(request: pytest.FixtureRequest, new_settings: Callable[[], Settings]) -> Iterator[httpx2.Client]:
    """Each app in process, with the other model."""
    views, client_of = OTHERS[request.param]
    with client_of(replace(new_settings(), views=views)) as client:
        yield client


def test_an_order_needs_a_token(client: httpx2.Client) -> None:
    problem(anonymous(client, "POST", "/api/orders", json={}), 401, "unauthorized")


def test_the_first_requests_may_come_all_at_once(new_settings: Callable[[], Settings]) -> None:
    with flask_client(replace(new_settings(), views="async")) as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(client.get, ["/api/items/1"] * 8))

    assert [answer.status_code for answer in answers] == [200] * 8


def test_there_are_two_models() -> None:
    given = {"DATABASE_URL": "postgresql:///shop", "REDIS_URL": "redis://", "SHOP_ENV": "development"}

    assert settings_from(given).views is None
    assert settings_from(given | {"SHOP_VIEWS": "async"}).views == "async"
    with pytest.raises(ValueError, match="SHOP_VIEWS must be sync or async, not 'both'"):
        settings_from(given | {"SHOP_VIEWS": "both"})


def test_tunings_are_known_by_name() -> None:
    given = {"DATABASE_URL": "postgresql:///shop", "REDIS_URL": "redis://", "SHOP_ENV": "development"}

    assert settings_from(given).tunings == frozenset()
    assert settings_from(given | {"SHOP_TUNINGS": "frozen, flat,"}).tunings == {"flat", "frozen"}
    with pytest.raises(ValueError, match="SHOP_TUNINGS knows flat and frozen, not faster"):
        settings_from(given | {"SHOP_TUNINGS": "flat,faster"})


@pytest.mark.parametrize("path", ["/api/items", "/api/items/{item_id}", "/api/orders"])
def test_the_document_says_what_it_always_says(
    client: httpx2.Client, flask_in_process: httpx2.Client, path: str
) -> None:
    usual, other = (normalised_paths(one.get("/openapi.json").json()) for one in (flask_in_process, client))

    assert other[path] == usual[path]
