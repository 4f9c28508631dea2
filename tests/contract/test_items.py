"""Items: create, read, replace, change, delete."""

from typing import Any

import httpx2
import pytest

from tests.support.shop import TIMESTAMP, an_item, an_order, created, faults, in_process, problem, unique

KEYS = ["id", "name", "description", "price_cents", "stock", "created_at", "updated_at"]
WHOLE = {"name": "Chair", "price_cents": 1}
BROKEN_FIELDS: list[tuple[str, Any, str]] = [
    ("name", "", "too_short"),
    ("name", "x" * 101, "too_long"),
    ("name", "a\0b", "bad_format"),
    ("name", None, "wrong_type"),
    ("name", 5, "wrong_type"),
    ("description", "x" * 2001, "too_long"),
    ("description", "\0", "bad_format"),
    ("description", 5, "wrong_type"),
    ("price_cents", -1, "too_small"),
    ("price_cents", 10_000_001, "too_large"),
    ("price_cents", 2**64, "too_large"),
    ("price_cents", "5", "wrong_type"),
    ("price_cents", True, "wrong_type"),
    ("price_cents", 5.0, "wrong_type"),
    ("price_cents", None, "wrong_type"),
    ("stock", -1, "too_small"),
    ("stock", 1_000_001, "too_large"),
    ("stock", None, "wrong_type"),
    ("id", 5, "unknown_field"),
    ("created_at", "now", "unknown_field"),
    ("colour", None, "unknown_field"),
    ("", 1, "unknown_field"),
]


def test_a_new_item_has_defaults_and_a_location(client: httpx2.Client) -> None:
    response = client.post("/api/items", json=WHOLE)
    item = created(response)
    assert list(item) == KEYS
    assert (item["name"], item["description"], item["price_cents"], item["stock"]) == ("Chair", None, 1, 0)
    assert response.headers["location"] == f"/api/items/{item['id']}"
    assert response.headers["content-type"] == "application/json"
    assert TIMESTAMP.fullmatch(item["created_at"])
    assert item["updated_at"] == item["created_at"]


def test_an_item_is_read_as_it_was_created(client: httpx2.Client) -> None:
    item = an_item(client, description="Oak")
    response = client.get(f"/api/items/{item['id']}")
    assert (response.status_code, response.json()) == (200, item)


def test_json_is_compact_and_unescaped(client: httpx2.Client) -> None:
    text = client.post("/api/items", json=WHOLE | {"name": "Größe 木 😀"}).text
    assert '"name":"Größe 木 😀","description":null,"price_cents":1,"stock":0' in text


@in_process
@pytest.mark.parametrize(
    "fields",
    [
        {"name": "x" * 100, "description": "y" * 2000, "price_cents": 10_000_000, "stock": 1_000_000},
        {"name": "😀" * 100, "description": "", "price_cents": 0, "stock": 0},
        {"name": " ", "description": "a\nb\t", "price_cents": 0},
    ],
)
def test_values_at_the_bounds_are_kept(client: httpx2.Client, fields: dict[str, Any]) -> None:
    item = created(client.post("/api/items", json=fields))
    assert {name: item[name] for name in fields} == fields


@in_process
@pytest.mark.parametrize(("name", "value", "code"), BROKEN_FIELDS)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/items"), ("PUT", "/api/items/3"), ("PATCH", "/api/items/3")]
)
def test_a_broken_field_is_named(
    client: httpx2.Client, method: str, path: str, name: str, value: Any, code: str
) -> None:
    assert faults(client.request(method, path, json=WHOLE | {name: value})) == [(f"/{name}", code)]


@in_process
@pytest.mark.parametrize(("method", "path"), [("POST", "/api/items"), ("PUT", "/api/items/3")])
def test_name_and_price_are_required(client: httpx2.Client, method: str, path: str) -> None:
    assert faults(client.request(method, path, json={})) == [
        ("/name", "missing"),
        ("/price_cents", "missing"),
    ]


def test_put_replaces_every_field(client: httpx2.Client) -> None:
    item = an_item(client, description="Oak", stock=4)
    replaced = client.put(f"/api/items/{item['id']}", json=WHOLE).json()
    assert list(replaced) == KEYS
    assert (replaced["description"], replaced["stock"], replaced["name"]) == (None, 0, "Chair")
    assert replaced["created_at"] == item["created_at"]
    assert replaced["updated_at"] > item["updated_at"]


@in_process
@pytest.mark.parametrize(
    "change", [{"name": "Lamp"}, {"description": None}, {"price_cents": 7}, {"stock": 0}]
)
def test_patch_changes_what_it_names_and_nothing_else(client: httpx2.Client, change: dict[str, Any]) -> None:
    item = an_item(client, description="Oak", stock=4)
    changed = client.patch(f"/api/items/{item['id']}", json=change).json()
    assert changed == item | change | {"updated_at": changed["updated_at"]}
    assert changed["updated_at"] > item["updated_at"]
    assert client.get(f"/api/items/{item['id']}").json() == changed


@in_process
def test_an_empty_patch_misses_a_field(client: httpx2.Client) -> None:
    assert faults(client.patch("/api/items/3", json={})) == [("", "missing")]


@in_process
def test_a_patch_of_unknown_fields_only_is_refused_for_them(client: httpx2.Client) -> None:
    assert faults(client.patch("/api/items/3", json={"colour": 1})) == [("/colour", "unknown_field")]


def test_a_deleted_item_is_gone(client: httpx2.Client) -> None:
    path = f"/api/items/{an_item(client)['id']}"
    response = client.delete(path)
    assert (response.status_code, response.content) == (204, b"")
    assert "content-type" not in response.headers
    problem(client.get(path), 404, "not_found")
    problem(client.delete(path), 404, "not_found")


def test_an_ordered_item_is_in_use_even_when_the_order_is_cancelled(client: httpx2.Client) -> None:
    item = an_item(client)
    order = an_order(client, (item, 1))
    problem(client.delete(f"/api/items/{item['id']}"), 409, "in_use")
    client.post(f"/api/orders/{order['id']}/cancel")
    problem(client.delete(f"/api/items/{item['id']}"), 409, "in_use")


@in_process
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_an_item_that_does_not_exist_is_404(client: httpx2.Client, method: str) -> None:
    body = None if method in {"GET", "DELETE"} else WHOLE
    problem(client.request(method, "/api/items/999999999", json=body), 404, "not_found")


def test_a_batch_is_created_in_its_order(client: httpx2.Client) -> None:
    names = [unique() for _ in range(3)]
    response = client.post("/api/items/batch", json={"items": [WHOLE | {"name": name} for name in names]})
    items = created(response)["items"]
    assert [item["name"] for item in items] == names
    assert [item["id"] for item in items] == sorted(item["id"] for item in items)
    assert list(items[0]) == KEYS
    assert response.headers["location"] == "/api/items"


def test_a_thousand_items_are_created_at_once(client: httpx2.Client) -> None:
    assert len(created(client.post("/api/items/batch", json={"items": [WHOLE] * 1000}))["items"]) == 1000


@in_process
@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], [("/items", "too_short")]),
        ([WHOLE] * 1001, [("/items", "too_long")]),
        (None, [("/items", "wrong_type")]),
        ([WHOLE, None], [("/items/1", "wrong_type")]),
        ([{}], [("/items/0/name", "missing"), ("/items/0/price_cents", "missing")]),
        ([1] * 1001, [("/items", "too_long")]),
    ],
)
def test_a_broken_batch_is_refused(
    client: httpx2.Client, items: Any, expected: list[tuple[str, str]]
) -> None:
    assert faults(client.post("/api/items/batch", json={"items": items})) == expected


def test_a_batch_with_one_broken_item_creates_none(client: httpx2.Client) -> None:
    name = unique()
    items = [{"name": name, "price_cents": 1}, {"name": name, "price_cents": -1}]
    refused = client.post("/api/items/batch", json={"items": items})
    assert faults(refused) == [("/items/1/price_cents", "too_small")]
    assert client.get("/api/items", params={"q": name}).json()["total"] == 0
