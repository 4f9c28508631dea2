"""Bodies that are no JSON, too large, not declared, or not what the schema says."""

from typing import Any

import httpx2
import pytest

from tests.support.shop import JSON, faults, in_chunks, in_process, problem

MEBIBYTE = 1024 * 1024
# A server may close the connection rather than read a body it has refused; the client says so beforehand.
ONCE = {**JSON, "Connection": "close"}
BODY_ROUTES = (
    ("POST", "/api/items"),
    ("POST", "/api/items/batch"),
    ("PUT", "/api/items/3"),
    ("PATCH", "/api/items/3"),
    ("POST", "/api/users"),
    ("PATCH", "/api/users/3"),
    ("POST", "/api/orders"),
    ("POST", "/api/probe/echo"),
)
MALFORMED = {
    "empty": b"",
    "blank": b" \n",
    "cut off": b'{"user_id":1',
    "single quotes": b"{'user_id':1}",
    "two documents": b"{}{}",
    "trailing comma": b'{"user_id":1,}',
    "NaN": b'{"user_id":NaN}',
    "Infinity": b'{"user_id":Infinity}',
    "minus Infinity": b'{"user_id":-Infinity}',
    "invalid UTF-8": b'{"user_id":"\xff"}',
    "overlong UTF-8": b'{"user_id":"\xc0\xaf"}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"user_id":1}'.encode("utf-16"),
    "lone surrogate": b'{"user_id":"\\ud800"}',
    "raw surrogate": b'{"user_id":"\xed\xa0\x80"}',
    "nested lists": b"[" * 100_000 + b"]" * 100_000,
    "nested objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "open brackets": b"[" * 100_000,
    "deep and a long number": b"[" * 900 + b"1" * 30 + b"]" * 900,
    "number of 5,000 digits": b'{"user_id":' + b"1" * 5000 + b"}",
    "leading zero": b'{"user_id":01}',
    "plus sign": b'{"user_id":+1}',
    "control character": b'{"user_id":"\x01"}',
}


@in_process
@pytest.mark.parametrize(("method", "path"), BODY_ROUTES)
@pytest.mark.parametrize("body", [b"", b"{", b'{"name":NaN}'])
def test_every_route_with_a_body_refuses_what_is_no_json(
    client: httpx2.Client, method: str, path: str, body: bytes
) -> None:
    problem(client.request(method, path, content=body, headers=JSON), 400, "malformed_json")


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_json_is_400(client: httpx2.Client, what: str) -> None:
    problem(client.post("/api/probe/echo", content=MALFORMED[what], headers=JSON), 400, "malformed_json")


@in_process
@pytest.mark.parametrize("number", ["9223372036854775808", "-9223372036854775809", "1" + "0" * 100])
def test_an_integer_beyond_64_bits_is_out_of_range_and_not_malformed(
    client: httpx2.Client, number: str
) -> None:
    body = f'{{"user_id":{number},"lines":[{{"item_id":1,"quantity":1}}]}}'
    code = "too_small" if number.startswith("-") else "too_large"
    assert faults(client.post("/api/probe/echo", content=body, headers=JSON)) == [("/user_id", code)]


@in_process
@pytest.mark.parametrize(("method", "path"), BODY_ROUTES)
@pytest.mark.parametrize("document", [b"null", b"[]", b'"x"', b"1", b"true", b"1.5"])
def test_a_document_that_is_no_object_is_of_the_wrong_type(
    client: httpx2.Client, method: str, path: str, document: bytes
) -> None:
    assert faults(client.request(method, path, content=document, headers=JSON)) == [("", "wrong_type")]


@in_process
@pytest.mark.parametrize(("method", "path"), BODY_ROUTES)
@pytest.mark.parametrize(
    "declared", [None, "text/plain", "application/jsonx", "application/x-www-form-urlencoded"]
)
def test_a_body_that_is_not_declared_as_json_is_415(
    client: httpx2.Client, method: str, path: str, declared: str | None
) -> None:
    headers = {} if declared is None else {"Content-Type": declared}
    problem(client.request(method, path, content=b'{"a":1}', headers=headers), 415, "unsupported_media_type")


def test_a_server_goes_on_after_a_body_that_it_does_not_want(client: httpx2.Client) -> None:
    for declared in ("text/plain", "application/x-www-form-urlencoded"):
        answer = client.post("/api/probe/echo", content=b'{"a":1}', headers={"Content-Type": declared})
        problem(answer, 415, "unsupported_media_type")
    assert client.get("/api/probe/ping").json() == {"message": "pong"}


@pytest.mark.parametrize(
    "declared", ["application/json; charset=utf-8", "Application/JSON", "application/json ;x"]
)
def test_parameters_and_case_of_the_content_type_do_not_matter(client: httpx2.Client, declared: str) -> None:
    response = client.post(
        "/api/probe/echo",
        content=b'{"user_id":1,"lines":[{"item_id":1,"quantity":1}]}',
        headers={"Content-Type": declared},
    )
    assert response.status_code == 200


def _padded(size: int) -> bytes:
    """A valid order-shaped document of `size` bytes."""
    document = b'{"user_id":1,"lines":[{"item_id":1,"quantity":1}]}'
    return document + b" " * (size - len(document))


def test_a_body_of_exactly_one_mebibyte_is_read(client: httpx2.Client) -> None:
    response = client.post("/api/probe/echo", content=_padded(MEBIBYTE), headers=JSON)
    assert response.status_code == 200


def test_one_byte_more_is_413(client: httpx2.Client) -> None:
    response = client.post("/api/probe/echo", content=_padded(MEBIBYTE + 1), headers=ONCE)
    problem(response, 413, "too_large")


def test_a_chunked_body_is_read(client: httpx2.Client) -> None:
    response = client.post("/api/probe/echo", content=in_chunks(_padded(200_000)), headers=JSON)
    assert response.status_code == 200


def test_a_chunked_body_of_exactly_one_mebibyte_is_read(client: httpx2.Client) -> None:
    response = client.post("/api/probe/echo", content=in_chunks(_padded(MEBIBYTE)), headers=JSON)
    assert response.status_code == 200


def test_a_chunked_body_that_is_too_large_is_413(client: httpx2.Client) -> None:
    response = client.post("/api/probe/echo", content=in_chunks(_padded(MEBIBYTE + 1)), headers=ONCE)
    problem(response, 413, "too_large")


def test_a_server_goes_on_after_a_body_that_was_too_large(client: httpx2.Client) -> None:
    client.post("/api/probe/echo", content=_padded(MEBIBYTE + 1), headers=ONCE)
    assert client.get("/api/probe/ping").json() == {"message": "pong"}


def test_faults_are_all_reported_and_sorted_by_pointer(client: httpx2.Client) -> None:
    body = {"zeta": 1, "lines": [{"item_id": 0, "quantity": 101}, {"quantity": "1", "a/b~c": 1}]}
    assert faults(client.post("/api/probe/echo", json=body)) == [
        ("/lines/0/item_id", "too_small"),
        ("/lines/0/quantity", "too_large"),
        ("/lines/1/a~1b~0c", "unknown_field"),
        ("/lines/1/item_id", "missing"),
        ("/lines/1/quantity", "wrong_type"),
        ("/user_id", "missing"),
        ("/zeta", "unknown_field"),
    ]


@in_process
@pytest.mark.parametrize("value", ["5", True, False, 5.0, None, [5], {"a": 5}, 1e3])
def test_an_integer_is_a_json_integer_and_nothing_else(client: httpx2.Client, value: Any) -> None:
    body = {"user_id": value, "lines": [{"item_id": 1, "quantity": 1}]}
    assert faults(client.post("/api/probe/echo", json=body)) == [("/user_id", "wrong_type")]


@in_process
@pytest.mark.parametrize("lines", [None, {}, "x", 1])
def test_a_list_is_a_list(client: httpx2.Client, lines: Any) -> None:
    body = {"user_id": 1, "lines": lines}
    assert faults(client.post("/api/probe/echo", json=body)) == [("/lines", "wrong_type")]


@in_process
@pytest.mark.parametrize("line", [None, [], "x", 1])
def test_a_line_is_an_object(client: httpx2.Client, line: Any) -> None:
    body = {"user_id": 1, "lines": [line]}
    assert faults(client.post("/api/probe/echo", json=body)) == [("/lines/0", "wrong_type")]
