"""Requests that hypothesis makes up, valid ones and broken ones, for every route of the API and the pages.

Left out is a repeated Content-Type: WSGI has room for one only, and each server chooses its own.
"""

from dataclasses import dataclass
from urllib.parse import quote

from hypothesis import strategies as st

from tests.support.generated_bodies import bodies, forms, small_ids, texts
from tests.support.shop import ADMIN, bearer


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it goes over the wire; `target` is path and query, percent-encoded. An admin's, unless said."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    authorization: str | None = ADMIN["Authorization"]


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

path_ids = st.one_of(
    small_ids.map(str),
    small_ids.map(str),
    st.sampled_from(
        ["0", "-1", "+1", "007", "1%0A", "%D9%A1", "1.0", "9223372036854775808", "%2F1", "1/", "%00", "%ff"]
    ),
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
            "%ff",
            "%25",
            "_",
            "oak",
            "%C3%89",
            "1;limit=2",
            "a=b",
            "%",
        ]
    ),
    texts.map(quote),
)
queries = st.lists(
    st.builds(
        lambda name, value: name if value is None else f"{name}={value}",
        st.sampled_from(PARAMETERS),
        st.none() | query_values,
    ),
    max_size=4,
).map("&".join)
content_types = st.sampled_from(
    ["application/json"] * 8
    + [
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "text/json",
        "application/json,text/plain",
        "",
        "application/json ; x",
    ]
)
extra_headers = st.lists(
    st.sampled_from(
        [
            ("Idempotency-Key", "a"),
            ("Idempotency-Key", "b"),
            ("Idempotency-Key", "a b"),
            ("Idempotency-Key", ""),
            ("X-Request-ID", "mine"),
            ("X-Request-ID", "not mine"),
            ("Accept", "text/html"),
            ("Accept-Encoding", "gzip"),
            ("Accept-Encoding", "gzip;q=0, *"),
            ("If-None-Match", "*"),
            ("If-None-Match", 'W/"a", "b'),
            ("If-Match", "*"),
            ("If-Match", '"a"'),
            ("X-HTTP-Method-Override", "DELETE"),
            ("Expect", "nothing"),
            ("Content-Encoding", "gzip"),
            ("Range", "bytes=2-5"),
            ("Range", "bytes=-3"),
            ("Range", "bytes=9999-"),
            ("Range", "bytes=1-2,4-5"),
            ("If-Range", '"x"'),
            ("Origin", ORIGIN),
            ("Origin", "https://evil.example"),
            ("Access-Control-Request-Method", "PUT"),
            ("X-Forwarded-For", "1.2.3.4, 5.6.7.8"),
            ("X-Forwarded-For", "nobody"),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Proto", "ftp, https"),
        ]
    ),
    max_size=2,
)
form_types = st.sampled_from(
    ["multipart/form-data; boundary=part"] * 8
    + ["multipart/form-data", "multipart/form-data; boundary=other", "Multipart/Form-Data; Boundary=part", ""]
)

tokens = st.sampled_from(
    [ADMIN["Authorization"]] * 12
    + [bearer(user_id)["Authorization"] for user_id in (1, 2, 3, 5)]
    + [None, None, "", "Bearer", "Bearer x", "Basic eDp4", ADMIN["Authorization"].lower(), "Bearer é.é.é"]
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Any request: mostly at a known path with its method."""
    routes = SLOW_ROUTES if draw(st.integers(0, 24)) == 7 else ROUTES
    method, path, kind = draw(st.sampled_from(routes))
    if draw(st.integers(0, 9)) == 7:
        method = draw(st.sampled_from(METHODS))
    if "{}" in path:
        path = path.format(draw(path_ids))
    path += draw(st.sampled_from([""] * 18 + ["/", "//", "%20", "%0A", ".json"]))
    query = draw(queries) if method in {"GET", "HEAD"} and "?" not in path and "/cpu" not in path else ""
    target = f"{path}?{query}" if query else path
    headers = draw(extra_headers)
    token = draw(tokens)
    if kind is None:
        return Request(method, target, tuple(headers), None, token)
    if kind == "form":
        return Request(method, target, (("Content-Type", draw(form_types)), *headers), draw(forms()), token)
    typed = (("Content-Type", draw(content_types)), *headers)
    return Request(method, target, typed, draw(bodies(kind)), token)
