"""Sends the same request to both apps and says whether the answers are the same."""

import re
from typing import Any

import httpx2

from tests.support.generated import Request
from tests.support.shop import TIMESTAMP

# Told apart by presence alone: they follow from moments, which differ.
_MOMENTARY = {"etag", "retry-after", "x-cache"}
# What a client does something about when it is refused.
_ACTED_ON = ("allow", "location", "www-authenticate", "retry-after")
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
    """Flask's answer, after asserting that FastAPI's is equal to it, as far as the contract asks for that.

    Answers that succeed are equal byte for byte; refusals in what a client acts on. Malformed transport need only be
    answered safely. Which of several faults is told first is left open, but for what a missing token hides.
    """
    flask, fastapi = (send(client, request) for client in pair)
    for response in (flask, fastapi):
        # Nobody has named a partner to these apps: to call it is 503, and nothing else may fail.
        assert response.status_code < 500 or request.target.startswith("/api/partner/"), response.text
        request_id_of(response, request)
    if request.well_formed:
        assert_same(flask, fastapi, request)
    return flask


def assert_same(first: httpx2.Response, second: httpx2.Response, request: Request) -> None:
    """Asserts that two answers to a well-formed request are equal, as far as the contract asks for that."""
    if first.is_error and second.is_error and request.faulty_parts > 1:
        assert_hides(first, second)
        assert_hides(second, first)
    elif first.is_error or second.is_error:
        assert refusal(first, request) == refusal(second, request)
    else:
        assert seen(first, request) == seen(second, request)


def assert_hides(first: httpx2.Response, second: httpx2.Response) -> None:
    """Where one app asks for a token, the other tells nothing that it found in the body."""
    if first.status_code in {401, 403} and second.status_code == 422:
        pointers = [pointer for pointer, _ in faults_of(second)]
        assert all(pointer.startswith("?") for pointer in pointers), pointers
    if first.status_code == 401:
        assert second.status_code not in {400, 403, 409, 415}, second.text


def refusal(response: httpx2.Response, request: Request) -> dict[str, Any]:
    """What a client acts on in a refusal: not the words in it."""
    headers = {name: response.headers.get_list(name) for name in _ACTED_ON if name in response.headers}
    if "retry-after" in headers:
        headers["retry-after"] = ["soon"]
    document = response.json() if response.content else {}
    return {
        "status": response.status_code,
        "type": response.headers.get("content-type"),
        "code": document.get("code"),
        "faults": faults_of(response),
        "headers": headers,
        "x-request-id": request_id_of(response, request),
    }


def faults_of(response: httpx2.Response) -> list[tuple[str, str]]:
    """Pointers and codes of a refusal."""
    errors = response.json().get("errors", ()) if response.content else ()
    return [(error["pointer"], error["code"]) for error in errors]


def seen(response: httpx2.Response, request: Request) -> dict[str, Any]:
    """What is compared of an answer: all but the moments in it and a request id that the app chose."""
    packed = {"content-length"} if "content-encoding" in response.headers else set()
    return {
        "status": response.status_code,
        **{name: name in _MOMENTARY | packed or values for name, values in _values(response).items()},
        "vary": members_of(response, "vary"),
        "x-request-id": request_id_of(response, request),
        "body": without_moments(response.content),
    }


def _values(response: httpx2.Response) -> dict[str, Any]:
    """The headers that are compared, by name.

    Left out: Last-Modified, which one library sends of files beside the ETag that counts, and, unless an origin is
    granted access, what browsers then don't heed.
    """
    granted = "access-control-allow-origin" in response.headers
    values = {
        name: [_TASK.sub(b"{task}", value.encode()).decode() for value in response.headers.get_list(name)]
        for name in response.headers
        if name != "last-modified" and (granted or not name.startswith("access-control-"))
    }
    exposed = "access-control-expose-headers"
    return values | ({exposed: members_of(response, exposed)} if granted else {})


def members_of(response: httpx2.Response, header: str) -> set[str]:
    """The members of a header that is a list, whatever their case, their order and the number of its lines."""
    return {one.strip().lower() for line in response.headers.get_list(header) for one in line.split(",")}


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
