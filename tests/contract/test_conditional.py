"""Entity tags: 304 for who has it already, 412 for who would change something else than what was seen."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from shared.http import conditional
from tests.support.shop import an_item, an_order, faults, in_process, problem

PLAIN = {"Accept-Encoding": "identity"}
GZIP = {"Accept-Encoding": "gzip"}
LIST = "/api/items?limit=100"
SMALL_LIST = "/api/items?limit=1"
TAGGED = ["/api/items/1", "/api/items/1/cached", LIST, SMALL_LIST]


def tag_of(client: httpx2.Client, path: str, **headers: str) -> str:
    return client.get(path, headers=PLAIN | headers).headers["etag"]


def asked(client: httpx2.Client, path: str, if_none_match: str, **headers: str) -> httpx2.Response:
    return client.get(path, headers=PLAIN | headers | {"If-None-Match": if_none_match})


def not_modified(response: httpx2.Response, tag: str) -> None:
    assert response.status_code == 304, response.text
    assert response.content == b""
    assert response.headers["etag"] == tag
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-request-id"]
    assert "content-type" not in response.headers
    assert "content-length" not in response.headers


@pytest.mark.parametrize("path", TAGGED)
def test_who_names_the_tag_is_told_that_nothing_changed(client: httpx2.Client, path: str) -> None:
    first = client.get(path, headers=PLAIN)
    assert first.headers["etag"] == conditional.tag_of(first.content)
    assert first.headers["cache-control"] == "no-cache"
    not_modified(asked(client, path, first.headers["etag"]), first.headers["etag"])


@pytest.mark.parametrize("path", TAGGED)
def test_head_is_told_the_same_as_get(client: httpx2.Client, path: str) -> None:
    tag = tag_of(client, path)
    assert client.head(path, headers=PLAIN).headers["etag"] == tag
    not_modified(client.head(path, headers=PLAIN | {"If-None-Match": tag}), tag)


@in_process
@pytest.mark.parametrize(
    "form",
    ["{}", "W/{}", '"a", {}', '"a",W/"b" , {}', "*", '{}, "a"'],
)
def test_it_may_be_named_in_many_forms(client: httpx2.Client, form: str) -> None:
    tag = tag_of(client, "/api/items/1")
    not_modified(asked(client, "/api/items/1", form.format(tag)), tag)


@in_process
@pytest.mark.parametrize("form", ['"a"', 'W/"a"', "", '"*"', '"{bare}x"'])
def test_other_tags_get_the_body(client: httpx2.Client, form: str) -> None:
    bare = tag_of(client, "/api/items/1").strip('"')
    headers = [(b"Accept-Encoding", b"identity"), (b"If-None-Match", form.format(bare=bare).encode())]
    answer = client.get("/api/items/1", headers=headers)
    assert answer.status_code == 200
    assert answer.json()["id"] == 1


def test_a_change_changes_the_tag_and_so_does_an_order(client: httpx2.Client) -> None:
    item = an_item(client)
    for path in (f"/api/items/{item['id']}", f"/api/items/{item['id']}/cached"):
        before = tag_of(client, path)
        client.patch(f"/api/items/{item['id']}", json={"price_cents": 99})
        after = asked(client, path, before)
        an_order(client, (item, 1))
        assert [after.status_code, asked(client, path, after.headers["etag"]).status_code] == [200, 200]


@in_process
def test_both_reads_of_an_item_have_one_tag(client: httpx2.Client) -> None:
    assert tag_of(client, "/api/items/1") == tag_of(client, "/api/items/1/cached")


@in_process
def test_the_cached_read_says_hit_in_a_304_too(client: httpx2.Client) -> None:
    tag = tag_of(client, "/api/items/2/cached")
    assert asked(client, "/api/items/2/cached", tag).headers["x-cache"] == "hit"


@in_process
def test_what_fails_is_a_failure_whatever_the_client_has(client: httpx2.Client) -> None:
    for path in ("/api/items/999999999", "/api/items/999999999/cached"):
        problem(asked(client, path, "*"), 404, "not_found")
    assert faults(asked(client, "/api/items?limit=0", "*")) == [("?limit", "too_small")]


@in_process
@pytest.mark.parametrize("path", ["/api/users", "/api/orders", "/api/probe/ping", "/healthz"])
def test_nothing_else_has_a_tag(client: httpx2.Client, path: str) -> None:
    answer = asked(client, path, "*")
    assert (answer.status_code, answer.headers.get("etag")) == (200, None)


@pytest.mark.parametrize("headers", [PLAIN, GZIP])
def test_a_large_list_is_known_by_its_tag_and_varies(client: httpx2.Client, headers: dict[str, str]) -> None:
    tag = client.get(LIST, headers=headers).headers["etag"]
    answer = client.get(LIST, headers=headers | {"If-None-Match": tag})
    not_modified(answer, tag)
    assert "accept-encoding" in answer.headers["vary"].lower()


def changes(item: Any) -> list[tuple[str, str, Any]]:
    path = f"/api/items/{item['id']}"
    return [
        ("PUT", path, {"name": "new", "price_cents": 1}),
        ("PATCH", path, {"stock": 1}),
        ("DELETE", path, None),
    ]


@in_process
@pytest.mark.parametrize("number", [0, 1, 2])
def test_what_was_changed_meanwhile_is_not_changed_again(client: httpx2.Client, number: int) -> None:
    item = an_item(client)
    method, path, body = changes(item)[number]
    seen = tag_of(client, path)
    an_order(client, (item, 1))
    now = client.get(path)
    for given in (seen, f"W/{now.headers['etag']}", "", '"a"'):
        refused = client.request(method, path, json=body, headers={"If-Match": given})
        problem(refused, 412, "precondition_failed")
    assert client.get(path).content == now.content


@in_process
@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("form", ["{}", "*", '"a", {}'])
def test_what_is_as_it_was_seen_is_changed(client: httpx2.Client, number: int, form: str) -> None:
    method, path, body = changes(an_item(client))[number]
    headers = {"If-Match": form.format(tag_of(client, path))}
    assert client.request(method, path, json=body, headers=headers).status_code == 200


@in_process
def test_the_tag_of_the_compressed_item_is_as_good(client: httpx2.Client) -> None:
    item = an_item(client, description="long " * 300)
    read = client.get(f"/api/items/{item['id']}", headers=GZIP)
    assert read.headers["content-encoding"] == "gzip"
    headers = {"If-Match": read.headers["etag"]}
    assert client.delete(f"/api/items/{item['id']}", headers=headers).status_code == 204


@in_process
def test_an_item_that_does_not_exist_is_404_whatever_was_seen(client: httpx2.Client) -> None:
    problem(client.delete("/api/items/999999999", headers={"If-Match": "*"}), 404, "not_found")


def test_of_many_who_saw_the_same_one_changes_it(client: httpx2.Client) -> None:
    item = an_item(client)
    path = f"/api/items/{item['id']}"
    seen = {"If-Match": tag_of(client, path)}

    def change(price: int) -> int:
        return client.patch(path, json={"price_cents": price}, headers=seen).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(change, range(1000, 1008))) == [200] + [412] * 7
