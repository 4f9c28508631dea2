"""Sends the same request to both apps and says whether the answers are the same."""

import re
from typing import Any

import httpx2

from tests.support.generated import Request
from tests.support.shop import TIMESTAMP

# Told apart by presence alone: they follow from moments, which differ.
_MOMENTARY = {"etag", "last-modified", "retry-after", "x-cache"}
_STAMPED = re.compile(rb'"(created_at|updated_at)":"([^"]*)"')
_MOMENT = re.compile(TIMESTAMP.pattern.encode())
_DAY_ON_PAGES = re.compile(rb'(<time datetime="[^"]*">)[^<]*</time>')
_TASK = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_TOKEN_ISSUED = re.compile(rb'"access_token":"[\w.-]+"')
_NEW_REQUEST_ID = re.compile(r"[0-9a-f]{16}")
_TOKEN = re.compile(r"[A-Za-z0-9-]{1,64}")


def send(client: httpx2.Client, request: Request) -> httpx2.Response:
    """The app's answer."""
    url = client.base_url.copy_with(raw_path=request.target.encode("ascii"))
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in _headers(request)]
    built = client.build_request(request.method, url, headers=headers, content=request.body)
    if request.authorization is None:
        del built.headers["Authorization"]
    return client.send(built, follow_redirects=False)


def _headers(request: Request) -> list[tuple[str, str]]:
    token = request.authorization
    return [*request.headers, *([] if token is None else [("Authorization", token)])]


def same_answer(pair: tuple[httpx2.Client, httpx2.Client], request: Request) -> httpx2.Response:
    """Flask's answer, after asserting that FastAPI's is the same and that neither is a failure."""
    flask, fastapi = (send(client, request) for client in pair)
    assert seen(flask, request) == seen(fastapi, request)
    # Nobody has named a partner to these apps: to call it is 503, and nothing else may fail.
    assert flask.status_code < 500 or request.target.startswith("/api/partner/"), flask.text
    return flask


def seen(response: httpx2.Response, request: Request) -> dict[str, Any]:
    """What is compared of an answer: all but the moments in it and a request id that the app chose."""
    packed = {"content-length"} if "content-encoding" in response.headers else set()
    return {
        "status": response.status_code,
        **{name: name in _MOMENTARY | packed or values for name, values in _values(response).items()},
        "x-request-id": request_id_of(response, request),
        "body": without_moments(response.content),
    }


def _values(response: httpx2.Response) -> dict[str, list[str]]:
    return {
        name: [_TASK.sub(b"{task}", value.encode()).decode() for value in response.headers.get_list(name)]
        for name in response.headers
    }


def request_id_of(response: httpx2.Response, request: Request) -> str:
    """The request id that came back if it was given; else `new`, after asserting its form."""
    [named] = response.headers.get_list("x-request-id")
    given = [value for name, value in request.headers if name == "X-Request-ID"]
    if len(given) == 1 and _TOKEN.fullmatch(given[0]):
        return named
    assert _NEW_REQUEST_ID.fullmatch(named)
    return "new"


def without_moments(body: bytes) -> bytes:
    """The body with timestamps and tokens masked, after asserting their form."""
    for _, moment in _STAMPED.findall(body):
        assert TIMESTAMP.fullmatch(moment.decode()), moment
    body = _TASK.sub(b"{task}", body)
    body = _MOMENT.sub(b"...", _DAY_ON_PAGES.sub(rb"\1", body))
    return _TOKEN_ISSUED.sub(b'"access_token":"..."', body)
