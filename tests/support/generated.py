"""Requests that hypothesis makes up, valid ones and broken ones, for every route of the API and the pages.

Mostly one part of a request is odd and the others are as they should be, so that it is clear what is refused. Left
out is a repeated Content-Type: WSGI has room for one only, and each server chooses its own.
"""

from dataclasses import dataclass
from urllib.parse import quote

from hypothesis import strategies as st

from tests.support.generated_bodies import (
    broken_bodies,
    broken_forms,
    odd_forms,
    small_ids,
    texts,
    valid_bodies,
    valid_forms,
)
from tests.support.shop import ADMIN, bearer


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it goes over the wire; `target` is path and query, percent-encoded. An admin's, unless said.

    well_formed: False for transport that no client of ours sends; the contract wants it answered safely, no more.
    faulty_parts: how many parts of the request may be at fault, each for itself; the contract orders no two of them.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    authorization: str | None = ADMIN["Authorization"]
    well_formed: bool = True
    faulty_parts: int = 1


ORIGIN = "https://shop.example"
ROUTES = (
    ("GET", "/api/items", None),
    ("POST", "/api/items", "item"),
    ("POST", "/api/items/batch", "batch"),
    ("GET", "/api/items/{}", None),
    ("GET", "/api/items/{}/cached", None),
    ("GET", "/api/items/{}/image", None),
    ("PUT", "/api/items/{}/image", "item"),
    ("PUT", "/api/items/{}/image", "form"),
    ("PUT", "/api/items/{}", "item"),
    ("PATCH", "/api/items/{}", "item"),
    ("DELETE", "/api/items/{}", None),
    ("GET", "/api/users", None),
    ("GET", "/api/users/me", None),
    ("GET", "/api/users/{}", None),
    ("PATCH", "/api/users/{}", "change"),
    ("DELETE", "/api/users/{}", None),
    ("GET", "/api/orders", None),
    ("POST", "/api/orders", "order"),
    ("POST", "/api/orders", "order"),
    ("GET", "/api/orders/{}", None),
    ("POST", "/api/orders/{}/cancel", None),
    ("GET", "/healthz", None),
    ("GET", "/readyz", None),
    ("GET", "/api/probe/ping", None),
    ("GET", "/api/probe/json", None),
    ("POST", "/api/probe/echo", "order"),
    ("POST", "/api/probe/echo", "order"),
    ("GET", "/api/probe/requests", None),
    ("GET", "/api/probe/late-orders/{}", None),
    ("POST", "/api/probe/late-orders", "late"),
    ("POST", "/api/reports", "report"),
    ("GET", "/api/tasks/{}", None),
    ("GET", "/api/outbox", None),
    ("GET", "/api/partner/one", None),
    ("GET", "/api/partner/many", None),
    ("GET", "/ws/items", None),
    ("GET", "/ws/echo", None),
    ("GET", "/live", None),
    ("GET", "/items", None),
    ("GET", "/items/{}", None),
)
# Rare, for what they cost: argon2 for a new user, and time for the probes that wait.
SLOW_ROUTES = (
    ("POST", "/api/users", "user"),
    ("POST", "/api/auth/token", "login"),
    ("GET", "/api/probe/sleep?ms=1", None),
    ("GET", "/api/probe/blocking?ms=1", None),
    ("GET", "/api/probe/cpu", None),
    ("GET", "/api/items/export.ndjson", None),
    ("GET", "/api/items/export.csv", None),
    ("POST", "/api/predict", "item"),
    ("POST", "/api/predict", "form"),
)
# Asked for by other tests: versions differ by their nature, and a stream doesn't end.
LEFT_OUT = {"/version", "/api/events/stock"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
PARAMETERS = (
    "limit",
    "offset",
    "q",
    "min_price",
    "max_price",
    "in_stock",
    "sort",
    "user_id",
    "page",
    "n",
    "delay_ms",
    "hang",
    "item_id",
    "other",
)

path_ids = small_ids.map(str)
odd_path_ids = st.one_of(
    st.sampled_from(["0", "-1", "+1", "007", "%D9%A1", "1.0", "9223372036854775808", "1/"]),
    texts.filter(lambda text: text.isprintable() and "/" not in text and text.strip(".")).map(
        lambda text: quote(text, safe="")
    ),
)
malformed_path_ids = st.one_of(
    st.sampled_from(["1%0A", "%2F1", "%00", "%ff", "1%20"]),
    texts.map(lambda text: quote(text, safe="")),
)
query_values = st.one_of(
    st.integers(-2, 120).map(str),
    st.sampled_from(
        [
            "true",
            "false",
            "id",
            "-name",
            "price",
            "",
            "1e1",
            "%D9%A1",
            "+1",
            "%201",
            "1_0",
            "9" * 30,
            "9" * 4400,
            "%00",
            "%25",
            "_",
            "oak",
            "%C3%89",
            "a=b",
        ]
    ),
    texts.map(quote),
)


def queries(values: st.SearchStrategy[str | None]) -> st.SearchStrategy[str]:
    """Some parameters, each of them once; None is a name without a value."""
    return st.dictionaries(st.sampled_from(PARAMETERS), values, max_size=4).map(
        lambda given: "&".join(name if value is None else f"{name}={value}" for name, value in given.items())
    )


odd_queries = queries(query_values) | st.sampled_from(PARAMETERS).map(lambda name: f"{name}=1&{name}=1")
malformed_queries = queries(st.none() | st.sampled_from(["%ff", "%", "1;limit=2", "%E2%82"]) | query_values)
content_types = st.sampled_from(
    [
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "text/json",
        "text/plain",
        "application/jsonx",
        "",
    ]
)
malformed_content_types = st.sampled_from(
    ["application/json,text/plain", "application/json ; x", "application", "/", "application/json;"]
)
odd_headers = st.lists(
    st.sampled_from(
        [
            ("Idempotency-Key", "a"),
            ("Idempotency-Key", "b"),
            ("Idempotency-Key", "a b"),
            ("X-Request-ID", "mine"),
            ("X-Request-ID", "not mine"),
            ("Accept", "text/html"),
            ("Accept-Encoding", "gzip"),
            ("If-None-Match", "*"),
            ("If-None-Match", 'W/"a", "b"'),
            ("If-Match", "*"),
            ("If-Match", '"a"'),
            ("X-HTTP-Method-Override", "DELETE"),
            ("Range", "bytes=2-5"),
            ("Range", "bytes=-3"),
            ("Origin", ORIGIN),
            ("Origin", "https://evil.example"),
            ("X-Forwarded-For", "1.2.3.4, 5.6.7.8"),
            ("X-Forwarded-For", "nobody"),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Proto", "ftp, https"),
        ]
    ),
    max_size=2,
    unique_by=lambda header: header[0],
)
malformed_headers = st.lists(
    st.sampled_from(
        [
            ("Idempotency-Key", ""),
            ("Idempotency-Key", "a"),
            ("Idempotency-Key", "b"),
            ("Accept-Encoding", "gzip;q=0, *"),
            ("If-None-Match", 'W/"a", "b'),
            ("If-Match", '"a'),
            ("Expect", "nothing"),
            ("Content-Encoding", "gzip"),
            ("Range", "bytes=9999-"),
            ("Range", "bytes=1-2,4-5"),
            ("Range", "bytes=x"),
            ("If-Range", '"x"'),
            ("Origin", ORIGIN),
            ("Access-Control-Request-Method", "PUT"),
        ]
    ),
    min_size=1,
    max_size=2,
)
FORM = "multipart/form-data; boundary=part"
form_types = st.sampled_from(["application/json", "text/plain", "application/x-www-form-urlencoded", ""])
malformed_form_types = st.sampled_from(
    ["multipart/form-data", "multipart/form-data; boundary=other", "Multipart/Form-Data; Boundary=part"]
)

tokens = st.sampled_from(
    [bearer(user_id)["Authorization"] for user_id in (1, 2, 3, 5)]
    + [None, None, "", "Bearer", "Bearer x", "Basic eDp4", ADMIN["Authorization"].lower(), "Bearer é.é.é"]
)

PARTS = ("path", "method", "query", "headers", "type", "body", "token")
# None of them is odd, one is (bodies most often), or any of them may be.
ODD = (
    *([()] * 3),
    *([(part,) for part in PARTS] * 2),
    *([("body",)] * 4),
    *([PARTS] * 4),
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Any request at a known path: as it should be, with one odd part, or with several; now and then malformed."""
    if draw(st.integers(0, 7)) == 7:
        return draw(malformed_requests())
    routes = SLOW_ROUTES if draw(st.integers(0, 24)) == 7 else ROUTES
    odd = draw(st.sampled_from(ODD))
    method, path, kind = draw(st.sampled_from(routes))
    if "{}" in path:
        path = path.format(draw(odd_path_ids if "path" in odd else path_ids))
    elif "path" in odd and "?" not in path:
        path += draw(st.sampled_from(["", "/", ".json"]))
    if "query" in odd and method == "GET" and "?" not in path and "/cpu" not in path:
        path += "?" + draw(odd_queries)
    if "method" in odd:
        method = draw(st.sampled_from(METHODS))
    headers = draw(odd_headers) if "headers" in odd else []
    token = draw(tokens) if "token" in odd else ADMIN["Authorization"]
    declared, body = None, None
    if kind == "form":
        declared = draw(form_types) if "type" in odd else FORM
        body = draw(odd_forms() if "body" in odd else valid_forms())
    elif kind is not None:
        declared = draw(content_types) if "type" in odd else "application/json"
        body = draw(broken_bodies(kind) if "body" in odd else valid_bodies(kind))
    typed = [] if declared is None else [("Content-Type", declared)]
    return Request(method, path, (*typed, *headers), body, token, faulty_parts=len(odd))


@st.composite
def malformed_requests(draw: st.DrawFn) -> Request:
    """A request with odd transport, to what stores nothing: one app may serve what the other refuses."""
    kind = draw(st.sampled_from(["path", "query", "headers", "type", "form", "form type", "slashes"]))
    _, path, _ = draw(st.sampled_from([route for route in ROUTES if route[0] == "GET"]))
    headers: tuple[tuple[str, str], ...] = ()
    if kind == "type":
        headers = (("Content-Type", draw(malformed_content_types)),)
        return Request("POST", "/api/probe/echo", headers, draw(valid_bodies("order")), well_formed=False)
    if kind in {"form", "form type"}:
        declared = draw(malformed_form_types) if kind == "form type" else FORM
        body = draw(broken_forms() if kind == "form" else valid_forms())
        return Request("POST", "/api/predict", (("Content-Type", declared),), body, well_formed=False)
    path = path.format(draw(malformed_path_ids if kind == "path" else path_ids))
    if kind == "slashes":
        path = draw(st.sampled_from(["/{}", "{}//", "{}%20", "{}%0A", "{}/.", "{}%2F"])).format(path)
    if kind == "query":
        path += "?" + draw(malformed_queries)
    if kind == "headers":
        headers = tuple(draw(malformed_headers))
    return Request(draw(st.sampled_from(["GET", "HEAD"])), path, headers, well_formed=False)
