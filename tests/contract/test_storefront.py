"""The HTML pages: from one set of templates, the same bytes from both apps."""

import re
from html import unescape
from urllib.parse import quote

import httpx2
import pytest

from shared.http.storefront import LIVE_ROWS, PAGE_MAX
from tests.support.shop import an_item, an_order, anonymous, faults, in_process, problem, unique


def page(client: httpx2.Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return response.text


def links(html: str) -> dict[str, str]:
    """Where the links to other pages of a list lead, by `rel`."""
    return {rel: unescape(href) for rel, href in re.findall(r'<a rel="(\w+)" href="([^"]*)"', html)}


@in_process
def test_a_page_has_language_title_viewport_and_local_files_only(client: httpx2.Client) -> None:
    html = page(client, "/items")
    assert html.startswith('<!doctype html>\n<html lang="en">')
    assert "<title>Items, page 1</title>" in html
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in html
    assert not re.search(r"<script|<style|style=|https?://", html)


@in_process
def test_the_first_page_lists_twenty_items_with_their_prices(client: httpx2.Client) -> None:
    html = page(client, "/items")
    items = client.get("/api/items").json()["items"]
    assert re.findall(r'<a href="/items/(\d+)">', html) == [str(item["id"]) for item in items]
    for item in items:
        assert f'<span class="price">{item["price_cents"] / 100:.2f}</span>' in html


@in_process
def test_links_lead_to_the_pages_before_and_after(client: httpx2.Client) -> None:
    assert links(page(client, "/items")) == {"next": "/items?page=2"}
    assert links(page(client, "/items?page=2")) == {"prev": "/items?page=1", "next": "/items?page=3"}
    assert page(client, "/items?page=2") != page(client, "/items")


@in_process
def test_the_last_page_has_no_next_and_beyond_it_there_is_nothing(client: httpx2.Client) -> None:
    mark = unique("shelf")
    client.post("/api/items/batch", json={"items": [{"name": mark, "price_cents": 5}] * 21})
    last, beyond = (page(client, f"/items?q={mark}&page={number}") for number in (2, 9))
    assert last.count(f">{mark}</a>") == 1
    assert "Page 2 of 2, 21 items" in last
    assert links(last) == {"prev": f"/items?q={mark}&page=1"}
    assert "There is nothing on this page." in beyond
    assert links(beyond) == {"prev": f"/items?q={mark}&page=2"}


@in_process
def test_a_search_is_kept_in_the_links_whatever_was_searched_for(client: httpx2.Client) -> None:
    mark = unique("shelf")
    wanted = f'{mark} "A&B" é%'
    client.post("/api/items/batch", json={"items": [{"name": wanted, "price_cents": 5}] * 21})
    html = page(client, f"/items?q={quote(wanted, safe='')}")
    assert f'value="{mark} &#34;A&amp;B&#34; é%"' in html
    assert "Page 2 of 2, 21 items" in page(client, links(html)["next"])


@in_process
@pytest.mark.parametrize(
    ("stock", "mark"),
    [
        (0, '<span class="stock empty">sold out</span>'),
        (1, '<span class="stock low">only 1 left</span>'),
        (9, '<span class="stock low">only 9 left</span>'),
        (10, '<span class="stock plenty">10 in stock</span>'),
    ],
)
def test_what_is_low_or_sold_out_is_marked(client: httpx2.Client, stock: int, mark: str) -> None:
    item = an_item(client, name=unique("shelf"), stock=stock)
    assert mark in page(client, f"/items?q={item['name']}")
    assert mark in page(client, f"/items/{item['id']}")


@in_process
@pytest.mark.parametrize(
    ("cents", "price"), [(0, "0.00"), (5, "0.05"), (1234, "12.34"), (10_000_000, "100000.00")]
)
def test_a_price_has_two_decimals(client: httpx2.Client, cents: int, price: str) -> None:
    item = an_item(client, price_cents=cents)
    assert f'<span class="price">{price}</span>' in page(client, f"/items/{item['id']}")


@in_process
def test_an_item_is_shown_with_its_description_and_its_day(client: httpx2.Client) -> None:
    item = an_item(client, description="Oak\nand birch", stock=3)
    html = page(client, f"/items/{item['id']}")
    assert f"<title>{item['name']}</title>" in html
    assert '<p class="description">Oak\nand birch</p>' in html
    assert f'<time datetime="{item["created_at"]}">{item["created_at"][:10]}</time>' in html
    assert 'class="description"' not in page(client, f"/items/{an_item(client)['id']}")


@in_process
def test_markup_in_a_name_is_shown_as_text(client: httpx2.Client) -> None:
    mark = unique("shelf")
    item = an_item(client, name=f"{mark}<script>alert(1)</script>", description="</p><img src=x>")
    for html in (page(client, f"/items?q={mark}"), page(client, f"/items/{item['id']}")):
        assert f"{mark}&lt;script&gt;alert(1)&lt;/script&gt;" in html
        assert not re.search("<script|<img", html)


@in_process
def test_markup_in_a_search_is_shown_as_text(client: httpx2.Client) -> None:
    wanted = quote('"><script>alert(1)</script>')
    html = page(client, f"/items?q={wanted}")
    assert 'value="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in html


@in_process
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("page=0", "too_small"),
        ("page=-1", "too_small"),
        (f"page={PAGE_MAX + 1}", "too_large"),
        ("page=abc", "wrong_type"),
        ("page=", "wrong_type"),
        ("page=1&page=1", "not_allowed"),
    ],
)
def test_a_broken_page_number_is_a_problem(client: httpx2.Client, query: str, code: str) -> None:
    assert faults(client.get(f"/items?{query}")) == [("?page", code)]


@in_process
def test_the_largest_page_is_empty(client: httpx2.Client) -> None:
    assert "There is nothing on this page." in page(client, f"/items?page={PAGE_MAX}")


@in_process
@pytest.mark.parametrize("path_id", ["999999999", "0", "x", "1/2", "%3Cb%3E"])
def test_an_item_that_does_not_exist_is_a_problem(client: httpx2.Client, path_id: str) -> None:
    problem(client.get(f"/items/{path_id}"), 404, "not_found")


@in_process
@pytest.mark.parametrize("path", ["/", "/items", "/items/3", "/live"])
def test_anybody_may_look_and_gets_no_cookie(client: httpx2.Client, path: str) -> None:
    response = anonymous(client, "GET", path)
    assert response.status_code == 200
    assert "set-cookie" not in response.headers


@in_process
def test_everything_that_a_page_loads_is_there(client: httpx2.Client) -> None:
    loaded = re.findall(r'<link [^>]*href="([^"]+)"', page(client, "/items"))
    types = {path: client.get(path).headers["content-type"] for path in loaded}
    assert types == {"/static/icon.png": "image/png", "/static/shop.css": "text/css; charset=utf-8"}


@in_process
def test_a_stylesheet_that_has_not_changed_is_not_sent_again(client: httpx2.Client) -> None:
    tag = client.get("/static/shop.css").headers["etag"]
    again = client.get("/static/shop.css", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/static/shop.css", "/static/icon.png", "/docs/assets/swagger-ui.css"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_pages_load_is_the_same_in_both_apps(
    flask_in_process: httpx2.Client, fastapi_in_process: httpx2.Client, method: str, path: str
) -> None:
    first, second = (app.request(method, path) for app in (flask_in_process, fastapi_in_process))
    assert first.content == second.content
    for name in ("content-type", "content-length", "last-modified", "x-content-type-options"):
        assert first.headers[name] == second.headers[name]


@in_process
def test_a_stylesheet_can_only_be_read(client: httpx2.Client) -> None:
    assert client.options("/static/shop.css").headers["allow"] == "GET, HEAD, OPTIONS"
    problem(client.post("/static/shop.css"), 405, "method_not_allowed")


@in_process
@pytest.mark.parametrize("name", ["nothing.css", "", "%2e%2e/storefront.py", "..%2fstorefront.py"])
def test_other_files_are_not_found(client: httpx2.Client, name: str) -> None:
    problem(client.get(f"/static/{name}"), 404, "not_found")


@in_process
def test_pages_are_no_part_of_the_document(client: httpx2.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert "/api/items" in paths
    assert not [path for path in paths if path.startswith(("/items", "/live", "/static")) or path == "/"]


def test_the_first_page_says_what_answers_and_links_everything(
    flask_in_process: httpx2.Client, fastapi_in_process: httpx2.Client
) -> None:
    first, second = page(flask_in_process, "/"), page(fastapi_in_process, "/")
    assert "<h1>The shop on Flask</h1>\n<p>Served by in-process.</p>" in first
    assert first.replace("Flask", "FastAPI") == second
    wanted = {"/items", "/live", "/docs", "/redoc", "/openapi.json"}
    assert set(re.findall(r'<a href="([^"]+)"', first)) == wanted


def live_rows(client: httpx2.Client) -> list[tuple[int, str, int]]:
    """The rows of the live page as it comes: id, name and stock of an item each."""
    row = r'<tr id="item-(\d+)"><td><a href="/items/\1">([^<]*)</a></td><td>(\d+)</td></tr>'
    return [
        (int(item_id), unescape(name), int(stock))
        for item_id, name, stock in re.findall(row, page(client, "/live"))
    ]


@in_process
def test_the_live_page_comes_with_what_changed_last(client: httpx2.Client) -> None:
    first, second, third = (an_item(client, name=f"{unique('live')} <&>") for _ in range(3))
    client.patch(f"/api/items/{first['id']}", json={"stock": 7})
    an_order(client, (second, 4))
    rows = live_rows(client)
    assert rows[:3] == [
        (second["id"], second["name"], 6),
        (first["id"], first["name"], 7),
        (third["id"], third["name"], 10),
    ]
    assert len(rows) == LIVE_ROWS
