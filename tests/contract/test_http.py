"""What holds for every route: methods, paths, ids and request ids."""

import re

import httpx2
import pytest

from tests.support.shop import an_item, in_process, problem

NEW_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
ALLOWED = {
    "/api/items": "GET, HEAD, OPTIONS, POST",
    "/api/items/batch": "OPTIONS, POST",
    "/api/items/1": "DELETE, GET, HEAD, OPTIONS, PATCH, PUT",
    "/api/items/1/image": "GET, HEAD, OPTIONS, PUT",
    "/api/items/export.csv": "GET, HEAD, OPTIONS",
    "/api/predict": "OPTIONS, POST",
    "/api/users": "GET, HEAD, OPTIONS, POST",
    "/api/users/1": "DELETE, GET, HEAD, OPTIONS, PATCH",
    "/api/orders": "GET, HEAD, OPTIONS, POST",
    "/api/orders/1": "GET, HEAD, OPTIONS",
    "/api/orders/1/cancel": "OPTIONS, POST",
    "/api/probe/ping": "GET, HEAD, OPTIONS",
    "/api/probe/echo": "OPTIONS, POST",
    "/healthz": "GET, HEAD, OPTIONS",
    "/readyz": "GET, HEAD, OPTIONS",
    "/version": "GET, HEAD, OPTIONS",
    "/openapi.json": "GET, HEAD, OPTIONS",
    "/docs": "GET, HEAD, OPTIONS",
    "/items": "GET, HEAD, OPTIONS",
    "/items/1": "GET, HEAD, OPTIONS",
}
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"}
GETS = (
    "/api/items/3",
    "/api/items?limit=2",
    "/api/probe/ping",
    "/healthz",
    "/version",
    "/openapi.json",
    "/docs",
    "/items",
    "/static/shop.css",
)
STRANGE_IDS = (
    "0", "-1", "+1", "1.0", "1e2", "x", "1x", "00", "1%00", "%201", "1%20", "%D9%A1", "%EF%BC%91",
    "9223372036854775808", "99999999999999999999", "1" * 400, "1%2F2",
)  # fmt: skip


@pytest.mark.parametrize("path", ALLOWED)
def test_options_answers_204_with_the_allowed_methods(client: httpx2.Client, path: str) -> None:
    response = client.options(path)
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["allow"] == ALLOWED[path]
    assert "content-type" not in response.headers


@pytest.mark.parametrize("path", ALLOWED)
def test_every_method_that_a_path_does_not_know_is_refused(client: httpx2.Client, path: str) -> None:
    for method in METHODS - set(ALLOWED[path].split(", ")):
        response = client.request(method, path)
        assert (response.status_code, response.headers["allow"]) == (405, ALLOWED[path])
        assert method == "HEAD" or problem(response, 405, "method_not_allowed")


@pytest.mark.parametrize("path", GETS)
def test_head_answers_as_get_without_a_body(client: httpx2.Client, path: str) -> None:
    got, headed = client.get(path), client.head(path)
    assert headed.status_code == got.status_code
    assert headed.content == b""
    for name in ("content-type", "content-length"):
        assert headed.headers[name] == got.headers[name]


def test_head_of_what_is_missing_is_404_without_a_body(client: httpx2.Client) -> None:
    response = client.head("/api/items/999999999")
    assert (response.status_code, response.content) == (404, b"")
    assert response.headers["content-type"] == "application/problem+json"


@in_process
@pytest.mark.parametrize("path", [*ALLOWED, "/nope"])
def test_a_trailing_slash_is_404(client: httpx2.Client, path: str) -> None:
    problem(client.get(path + "/"), 404, "not_found")


@in_process
@pytest.mark.parametrize(
    "path", ["/nope", "/api", "/api/items/1/2", "/api//items", "/api/items//1", "/API/items"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_a_path_that_does_not_exist_is_404_whatever_the_method(
    client: httpx2.Client, path: str, method: str
) -> None:
    problem(client.request(method, path), 404, "not_found")


def test_a_path_with_two_leading_slashes_is_404(client: httpx2.Client) -> None:
    problem(client.get(f"{str(client.base_url).rstrip('/')}//healthz"), 404, "not_found")


@pytest.mark.parametrize("path_id", STRANGE_IDS)
def test_an_id_that_is_no_positive_64_bit_integer_is_404(client: httpx2.Client, path_id: str) -> None:
    for resource in ("items", "users", "orders"):
        problem(client.get(f"/api/{resource}/{path_id}"), 404, "not_found")


def test_the_largest_id_is_looked_up_and_not_found(client: httpx2.Client) -> None:
    problem(client.get(f"/api/items/{2**63 - 1}"), 404, "not_found")


def test_leading_zeros_do_not_change_an_id(client: httpx2.Client) -> None:
    item = an_item(client)
    assert client.get(f"/api/items/000{item['id']}").json() == item


@in_process
@pytest.mark.parametrize("given", ["a", "A-1", "0" * 64, "-"])
@pytest.mark.parametrize("path", ["/healthz", "/api/items/3", "/nope", "/api/items/1/2", "/docs"])
def test_a_well_formed_request_id_comes_back(client: httpx2.Client, path: str, given: str) -> None:
    assert client.get(path, headers={"X-Request-ID": given}).headers.get_list("x-request-id") == [given]


@pytest.mark.parametrize("given", [None, "", "0" * 65, "a b", "a_b", "a,b", "é".encode()])
def test_any_other_request_id_is_replaced(client: httpx2.Client, given: str | bytes | None) -> None:
    headers = {} if given is None else {"X-Request-ID": given}
    response = client.get("/healthz", headers=headers)  # type: ignore[arg-type]
    [named] = response.headers.get_list("x-request-id")
    assert NEW_REQUEST_ID.fullmatch(named)
    assert named != given


def test_two_request_ids_are_replaced_by_one(client: httpx2.Client) -> None:
    response = client.get("/healthz", headers=[("X-Request-ID", "a"), ("X-Request-ID", "b")])
    [named] = response.headers.get_list("x-request-id")
    assert named not in {"a", "b", "a,b", "a, b"}


def test_new_request_ids_differ(client: httpx2.Client) -> None:
    assert len({client.get("/healthz").headers["x-request-id"] for _ in range(5)}) == 5


@pytest.mark.parametrize("method", ["POST", "OPTIONS", "DELETE", "HEAD"])
def test_refusals_carry_the_request_id_too(client: httpx2.Client, method: str) -> None:
    response = client.request(method, "/api/users/1", headers={"X-Request-ID": "mine"})
    assert response.headers["x-request-id"] == "mine"


@in_process
@pytest.mark.parametrize("path", ["/static/shop.css", "/docs/assets/swagger-ui.css"])
def test_what_pages_load_is_not_sent_again_to_who_has_it(client: httpx2.Client, path: str) -> None:
    etag = client.get(path).headers["etag"]
    answer = client.get(path, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/api/items%0A", "/api/items/1%0A", "/items/%ff", "/api/items/%2e%2e", "/static/"]
)
def test_an_odd_path_is_answered_safely(client: httpx2.Client, path: str) -> None:
    assert client.get(path).status_code in {200, 404}


@in_process
def test_a_repeated_content_type_is_answered_safely(client: httpx2.Client) -> None:
    twice = [("Content-Type", "application/json"), ("Content-Type", "text/plain")]
    assert client.post("/api/probe/echo", content=b"{}", headers=twice).status_code in {400, 415, 422}


@pytest.mark.parametrize(
    ("path", "version", "key"),
    [
        ("/api/items/1", "13", "YWFhYWFhYWFhYWFhYWFhYQ=="),
        ("/ws/echo", "8", "YWFhYWFhYWFhYWFhYWFhYQ=="),
        ("/ws/echo", "13", "short"),
    ],
)
def test_a_handshake_that_leads_nowhere_opens_nothing(
    flask_on_gunicorn: httpx2.Client, fastapi_on_uvicorn: httpx2.Client, path: str, version: str, key: str
) -> None:
    handshake = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": version}
    answers = [
        client.get(path, headers=handshake | {"Sec-WebSocket-Key": key})
        for client in (flask_on_gunicorn, fastapi_on_uvicorn)
    ]
    assert answers[0].status_code in {404, 405}
    assert answers[0].headers["content-type"] == "application/problem+json"
    assert answers[1].status_code in {400, 403}  # uvicorn's and Starlette's own, before the app is asked


@in_process
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/ws/echo", "/ws/items"])
def test_a_path_of_websockets_answers_no_method(client: httpx2.Client, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 404
    assert answer.headers["x-request-id"]
