"""gzip for who wants it, of what is worth it."""

import gzip
import zlib
from typing import Any

import httpx2
import pytest

from shared.http.compression import MIN_BYTES
from tests.support.shop import an_item, in_process, problem

LIST = "/api/items?limit=100"


def raw(
    client: httpx2.Client, path: str, accept: str | None, method: str = "GET", **rest: Any
) -> httpx2.Response:
    """An answer whose `raw` is what came over the wire, before any decoding."""
    request = client.build_request(method, path, **rest)
    request.headers.pop("accept-encoding", None)
    if accept is not None:
        request.headers["accept-encoding"] = accept
    response = client.send(request, stream=True)
    response.extensions["wire"] = b"".join(response.iter_raw())
    response.close()
    return response


def wire(response: httpx2.Response) -> bytes:
    found: bytes = response.extensions["wire"]
    return found


def test_a_large_answer_is_compressed_to_the_same_bytes(client: httpx2.Client) -> None:
    plain, packed = raw(client, LIST, None), raw(client, LIST, "gzip, deflate, br")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["content-length"] == str(len(wire(packed)))
    assert wire(packed) == zlib.compress(wire(plain), 5, wbits=31)
    assert gzip.decompress(wire(packed)) == wire(plain)
    assert len(wire(packed)) < len(wire(plain)) / 3


def test_who_does_not_ask_gets_it_as_it_is_and_learns_that_it_varies(client: httpx2.Client) -> None:
    plain, packed = raw(client, LIST, None), raw(client, LIST, "gzip")
    assert "content-encoding" not in plain.headers
    assert plain.headers["content-length"] == str(len(wire(plain)))
    for answer in (plain, packed):
        assert "Accept-Encoding" in answer.headers["vary"]


@in_process
@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("identity", False),
        ("br, deflate", False),
    ],
)
def test_accept_encoding_is_read_as_it_is_meant(
    client: httpx2.Client, accept: str | None, expected: bool
) -> None:
    answer = raw(client, LIST, accept)
    assert answer.headers.get("content-encoding") == ("gzip" if expected else None)


@in_process
def test_what_is_small_is_left_as_it_is(client: httpx2.Client) -> None:
    def with_length(length: int) -> httpx2.Response:
        item = an_item(client, description="")
        size = int(client.head(f"/api/items/{item['id']}").headers["content-length"])
        path = f"/api/items/{item['id']}"
        client.patch(path, json={"description": "x" * (length - size)})
        return raw(client, path, "gzip")

    below, at = with_length(MIN_BYTES - 1), with_length(MIN_BYTES)
    assert (below.headers.get("content-encoding"), below.headers["content-length"]) == (
        None,
        str(MIN_BYTES - 1),
    )
    assert (at.headers.get("content-encoding"), len(gzip.decompress(wire(at)))) == ("gzip", MIN_BYTES)


def test_head_has_the_headers_of_get(client: httpx2.Client) -> None:
    for accept in ("gzip", "identity"):
        got, head = raw(client, LIST, accept), raw(client, LIST, accept, "HEAD")
        assert wire(head) == b""
        for name in ("content-length", "content-encoding", "vary", "etag", "content-type"):
            assert head.headers.get(name) == got.headers.get(name)


@in_process
def test_problems_and_documents_are_compressed(client: httpx2.Client) -> None:
    broken = raw(client, "/api/items/batch", "gzip", "POST", json={"items": [{}] * 30})
    assert broken.status_code == 422
    assert broken.headers["content-type"] == "application/problem+json"
    assert broken.headers["content-encoding"] == "gzip"
    document = raw(client, "/openapi.json", "gzip")
    assert document.headers["content-encoding"] == "gzip"
    assert gzip.decompress(wire(document)) == wire(raw(client, "/openapi.json", None))


@in_process
def test_an_answer_to_a_post_is_compressed_too(client: httpx2.Client) -> None:
    many = {"items": [{"name": "n", "price_cents": 1}] * 1000}
    answer = raw(client, "/api/items/batch", "gzip", "POST", json=many)
    assert (answer.status_code, answer.headers["content-encoding"]) == (201, "gzip")
    assert len(httpx2.Response(200, content=gzip.decompress(wire(answer))).json()["items"]) == 1000


@in_process
def test_nothing_is_nothing(client: httpx2.Client) -> None:
    answer = raw(client, "/api/items", "gzip", "OPTIONS")
    assert (answer.status_code, wire(answer), answer.headers.get("content-encoding")) == (204, b"", None)
    problem(client.get("/nothing"), 404, "not_found")


def test_both_apps_send_the_same_bytes(
    flask_in_process: httpx2.Client, fastapi_in_process: httpx2.Client
) -> None:
    first, second = (
        raw(client, "/api/probe/json?n=500", "gzip") for client in (flask_in_process, fastapi_in_process)
    )
    assert wire(first) == wire(second)
    assert first.headers["content-encoding"] == "gzip"
