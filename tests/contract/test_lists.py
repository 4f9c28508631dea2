"""Pages of items, users and orders: which part, which rows, in which order."""

from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from tests.support.shop import an_item, faults, in_process, unique

LISTS = ("/api/items", "/api/users", "/api/orders")
NO_INTEGERS = (
    "",
    "x",
    "+1",
    "%2B1",
    "1%20",
    "%201",
    "1_0",
    "1e1",
    "1.0",
    "0x1",
    "%D9%A1",
    "1%0A",
    "true",
    "--1",
    "-",
)


def listed(client: httpx2.Client, query: str) -> Any:
    response = client.get(f"/api/items?{query}")
    assert response.status_code == 200, response.text
    return response.json()


def names(client: httpx2.Client, query: str) -> list[str]:
    return [item["name"] for item in listed(client, query)["items"]]


@in_process
@pytest.mark.parametrize("path", LISTS)
def test_a_page_has_twenty_rows_by_id_unless_told_otherwise(client: httpx2.Client, path: str) -> None:
    page = client.get(path).json()
    assert list(page) == ["items", "total", "limit", "offset"]
    assert (page["limit"], page["offset"]) == (20, 0)
    assert [row["id"] for row in page["items"]] == list(range(1, 21))
    assert page["total"] >= 200


@in_process
@pytest.mark.parametrize("path", LISTS)
def test_limit_and_offset_choose_the_part(client: httpx2.Client, path: str) -> None:
    page = client.get(path, params={"limit": 3, "offset": 5}).json()
    assert [row["id"] for row in page["items"]] == [6, 7, 8]
    assert (page["limit"], page["offset"]) == (3, 5)


@in_process
@pytest.mark.parametrize("path", LISTS)
def test_beyond_the_end_a_page_is_empty(client: httpx2.Client, path: str) -> None:
    page = client.get(path, params={"offset": 2**63 - 1}).json()
    assert page["items"] == []
    assert page["total"] >= 200


@in_process
@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=0", [("?limit", "too_small")]),
        ("limit=101", [("?limit", "too_large")]),
        ("limit=-1", [("?limit", "too_small")]),
        ("offset=-1", [("?offset", "too_small")]),
        (f"offset={2**63}", [("?offset", "too_large")]),
        ("limit=" + "9" * 4000, [("?limit", "too_large")]),
        ("limit=1&limit=1", [("?limit", "not_allowed")]),
    ],
)
def test_bounds_of_a_page_are_held(
    client: httpx2.Client, path: str, query: str, expected: list[tuple[str, str]]
) -> None:
    assert faults(client.get(f"{path}?{query}")) == expected


@in_process
@pytest.mark.parametrize("value", NO_INTEGERS)
@pytest.mark.parametrize("name", ["limit", "min_price"])
def test_an_integer_is_ascii_digits_and_nothing_else(client: httpx2.Client, name: str, value: str) -> None:
    assert faults(client.get(f"/api/items?{name}={value}")) == [(f"?{name}", "wrong_type")]


@in_process
@pytest.mark.parametrize("value", ["001", "-0"])
def test_leading_zeros_and_minus_zero_are_integers(client: httpx2.Client, value: str) -> None:
    assert listed(client, f"offset={value}&limit=1")["offset"] == int(value)


@in_process
@pytest.mark.parametrize("value", ["", "1", "0", "True", "TRUE", "yes", "true%20", "null"])
def test_a_boolean_is_true_or_false_and_nothing_else(client: httpx2.Client, value: str) -> None:
    assert faults(client.get(f"/api/items?in_stock={value}")) == [("?in_stock", "wrong_type")]


@in_process
@pytest.mark.parametrize("value", ["", "Id", "stock", "--id", "+id", "id,name", "id%20"])
def test_an_unknown_sort_is_not_allowed(client: httpx2.Client, value: str) -> None:
    assert faults(client.get(f"/api/items?sort={value}")) == [("?sort", "not_allowed")]


@in_process
@pytest.mark.parametrize("name", ["q", "min_price", "max_price", "in_stock", "sort"])
def test_a_known_parameter_given_twice_is_not_allowed(client: httpx2.Client, name: str) -> None:
    assert faults(client.get(f"/api/items?{name}=1&{name}=1")) == [(f"?{name}", "not_allowed")]


@in_process
@pytest.mark.parametrize("query", ["x=1&x=2", "LIMIT=0", "&&", "limit", "=1"])
def test_an_unknown_parameter_is_ignored(client: httpx2.Client, query: str) -> None:
    response = client.get(f"/api/items?{query}")
    assert response.status_code == (422 if query == "limit" else 200)


def test_a_nul_in_the_query_is_of_bad_format(client: httpx2.Client) -> None:
    assert faults(client.get("/api/items?q=%00")) == [("?q", "bad_format")]


def test_a_substring_is_found_whatever_its_case(client: httpx2.Client) -> None:
    mark = unique()
    an_item(client, name=f"Älter ÉCLAIR Жук {mark}")
    for wanted in ("äLTER", "éclair", "жУК", "R ж"):
        assert names(client, f"q={quote(f'{wanted}')}&limit=100&sort=-id")[0].endswith(mark)


@in_process
@pytest.mark.parametrize("sign", ["%", "_", "\\", "/", "'", '"', "*", "?"])
def test_signs_of_patterns_are_taken_literally(client: httpx2.Client, sign: str) -> None:
    mark = unique("z").replace("_", "-")
    an_item(client, name=f"{mark}a{sign}b")
    an_item(client, name=f"{mark}axb")
    assert names(client, f"q={quote(f'{mark}a{sign}b', safe='')}") == [f"{mark}a{sign}b"]


def test_a_plus_in_the_query_is_a_space(client: httpx2.Client) -> None:
    mark = unique()
    an_item(client, name=f"{mark} x")
    assert names(client, f"q={mark}+x") == [f"{mark} x"]


def test_an_empty_q_finds_everything(client: httpx2.Client) -> None:
    assert listed(client, "q=")["total"] == listed(client, "")["total"]


@in_process
@pytest.mark.parametrize("bound", [2**31 - 1, 2**31, 2**63 - 1])
def test_price_bounds_beyond_the_columns_are_bounds_too(client: httpx2.Client, bound: int) -> None:
    assert client.get(f"/api/items?min_price={bound}").json()["total"] == 0
    assert client.get(f"/api/items?max_price={bound}").json()["total"] >= 1000


def test_price_bounds_include_their_ends(client: httpx2.Client) -> None:
    mark = unique()
    for price in (10, 20, 30):
        an_item(client, name=f"{mark} {price}", price_cents=price)
    assert names(client, f"q={mark}&min_price=20") == [f"{mark} 20", f"{mark} 30"]
    assert names(client, f"q={mark}&max_price=20") == [f"{mark} 10", f"{mark} 20"]
    assert names(client, f"q={mark}&min_price=21&max_price=20") == []


def test_in_stock_tells_what_is_there_from_what_is_sold_out(client: httpx2.Client) -> None:
    mark = unique()
    for stock in (0, 1):
        an_item(client, name=f"{mark} {stock}", stock=stock)
    assert names(client, f"q={mark}&in_stock=true") == [f"{mark} 1"]
    assert names(client, f"q={mark}&in_stock=false") == [f"{mark} 0"]


@in_process
@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("id", [0, 1, 2, 3]),
        ("-id", [3, 2, 1, 0]),
        ("name", [1, 0, 2, 3]),
        ("-name", [3, 0, 2, 1]),
        ("price", [3, 0, 1, 2]),
        ("-price", [0, 1, 2, 3]),
    ],
)
def test_equal_sort_keys_are_ordered_by_id(client: httpx2.Client, sort: str, order: list[int]) -> None:
    mark = unique()
    goods = [("b", 5), ("B", 5), ("b", 5), ("é", 4)]
    items = [an_item(client, name=f"{mark}{letter}", price_cents=price) for letter, price in goods]
    found = listed(client, f"q={mark}&sort={sort}")["items"]
    assert found == [items[place] for place in order]


def test_total_counts_all_rows_of_the_filter(client: httpx2.Client) -> None:
    mark = unique()
    for number in range(3):
        an_item(client, name=f"{mark}{number}")
    page = listed(client, f"q={mark}&limit=1&offset=1")
    assert (page["total"], [item["name"] for item in page["items"]]) == (3, [f"{mark}1"])


@pytest.mark.parametrize("path", ["/api/items/3", "/api/probe/ping", "/healthz"])
def test_a_route_without_parameters_ignores_them(client: httpx2.Client, path: str) -> None:
    assert client.get(f"{path}?limit=x&limit=y&%00=%ff").status_code == 200
