"""Headers that every answer has, answers to other origins, and who is believed about where a request came from."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx2
import pytest

from shared.http.cors import ALLOWED_HEADERS, EXPOSED_HEADERS
from shared.http.proxies import trusted_proxies
from shared.ops.settings import Settings
from tests.support.clients import Opened
from tests.support.shop import in_process, problem, unique

ORIGIN = "https://shop.example"
ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
PREFLIGHT = {"Origin": ORIGIN, "Access-Control-Request-Method": "PATCH"}
BEHIND_PROXY = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}


@pytest.fixture
def open_to_others(opened: Opened, plain: Settings) -> Iterator[httpx2.Client]:
    """A shop that one other origin may use, behind a proxy on a Unix socket: clients in process have no address."""
    open_settings = replace(
        plain, cors_origins=frozenset({ORIGIN}), trusted_proxies=trusted_proxies("unix, 10.0.0.0/8")
    )
    with opened(open_settings) as client:
        yield client


@pytest.fixture(scope="module")
def plain(new_settings: Callable[[], Settings]) -> Settings:
    return new_settings()


def granted_to(response: httpx2.Response) -> str | None:
    """The one origin whose scripts may read the answer."""
    origin: str | None = response.headers.get("access-control-allow-origin")
    return origin


def listed(response: httpx2.Response, name: str) -> set[str]:
    """The members of a header that is a list, whatever their case and order."""
    return {member.strip().lower() for member in response.headers.get(name, "").split(",")} - {""}


def names(text: str) -> set[str]:
    return {name.strip().lower() for name in text.split(",")}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/probe/ping"), ("GET", "/nope"), ("DELETE", "/healthz"), ("OPTIONS", "/api/items")],
)
def test_every_answer_tells_browsers_to_be_careful(client: httpx2.Client, method: str, path: str) -> None:
    headers = client.request(method, path).headers
    assert {name: headers.get_list(name) for name in ALWAYS} == {
        name: [value] for name, value in ALWAYS.items()
    }
    assert headers.get_list("content-security-policy") == [DATA_POLICY]
    assert "strict-transport-security" not in headers


@in_process
def test_a_page_may_load_what_the_shop_serves_and_nothing_else(client: httpx2.Client) -> None:
    [policy] = client.get("/items").headers.get_list("content-security-policy")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert (rules["default-src"], rules["script-src"], rules["style-src"]) == ("'none'", "'self'", "'self'")


@in_process
def test_the_documentation_may_run_its_one_script_and_no_other(client: httpx2.Client) -> None:
    [policy] = client.get("/docs").headers.get_list("content-security-policy")
    assert re.search(r"script-src 'self' 'sha256-[A-Za-z0-9+/]{43}=';", policy)
    assert "unsafe" not in policy


def test_an_unexpected_failure_has_the_same_headers(
    opened: Opened, plain: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.shop.rules.computed_items", lambda count: 1 / count)
    with opened(plain) as client:
        response = client.get("/api/probe/json?n=0", headers={"X-Request-ID": "mine"})
        measured = client.get("/metrics").text
    problem(response, 500, "internal")
    assert response.headers.get_list("x-request-id") == ["mine"]
    assert response.headers["content-security-policy"] == DATA_POLICY
    assert 'shop_requests_total{method="GET",route="/api/probe/json",status="500"} 1.0' in measured


def test_no_origin_is_allowed_unless_it_is_named(client: httpx2.Client) -> None:
    for response in (
        client.get("/api/probe/ping", headers={"Origin": ORIGIN}),
        client.options("/api/items/1", headers=PREFLIGHT),
    ):
        assert granted_to(response) is None
        assert "origin" not in listed(response, "vary")


def test_a_preflight_is_granted(open_to_others: httpx2.Client) -> None:
    response = open_to_others.options("/api/items/1", headers=PREFLIGHT)
    assert response.status_code in {200, 204}
    assert granted_to(response) == ORIGIN
    assert "origin" in listed(response, "vary")
    assert listed(response, "access-control-allow-methods") >= {"delete", "get", "head", "patch", "put"}
    assert response.headers["access-control-max-age"] == "600"
    assert "access-control-allow-credentials" not in response.headers


def test_a_preflight_is_granted_the_headers_that_the_api_reads(open_to_others: httpx2.Client) -> None:
    headers = PREFLIGHT | {"Access-Control-Request-Headers": ALLOWED_HEADERS.lower()}
    response = open_to_others.options("/api/items/1", headers=headers)
    assert response.status_code in {200, 204}
    assert listed(response, "access-control-allow-headers") >= names(ALLOWED_HEADERS)


@pytest.mark.parametrize("path", ["/api/probe/ping", "/nope", "/api/orders/999999"])
def test_answers_and_refusals_can_be_read_by_an_allowed_origin(
    open_to_others: httpx2.Client, path: str
) -> None:
    response = open_to_others.get(path, headers={"Origin": ORIGIN})
    assert granted_to(response) == ORIGIN
    assert listed(response, "access-control-expose-headers") == names(EXPOSED_HEADERS)
    assert "origin" in listed(response, "vary")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "*", f"{ORIGIN}.evil.example", ""])
def test_any_other_origin_is_told_nothing(open_to_others: httpx2.Client, origin: str) -> None:
    for response in (
        open_to_others.get("/api/probe/ping", headers={"Origin": origin}),
        open_to_others.options("/api/items/1", headers=PREFLIGHT | {"Origin": origin}),
    ):
        assert granted_to(response) is None
        assert "origin" in listed(response, "vary")


def test_a_trusted_proxy_is_believed_that_the_client_came_by_https(open_to_others: httpx2.Client) -> None:
    secure = open_to_others.get("/nope", headers=BEHIND_PROXY)
    plain = open_to_others.get("/nope", headers=BEHIND_PROXY | {"X-Forwarded-Proto": "https, http"})
    assert secure.headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in plain.headers


def test_nobody_else_is_believed(client: httpx2.Client) -> None:
    assert "strict-transport-security" not in client.get("/healthz", headers=BEHIND_PROXY).headers


def test_logins_are_counted_by_the_address_that_a_trusted_proxy_names(open_to_others: httpx2.Client) -> None:
    guess = {"username": unique("user"), "password": "not the password"}

    def log_in(address: str) -> int:
        return open_to_others.post(
            "/api/auth/token", json=guess, headers={"X-Forwarded-For": address}
        ).status_code

    assert {log_in("198.51.100.7") for _ in range(5)} == {401}
    assert log_in("203.0.113.1, 198.51.100.7") == 429
    assert log_in("198.51.100.8") == 401
