"""The requests of `sidebyside check`, and the answers that the contract demands.

Every step is sent as an admin, unless it has its own Authorization. Its path, headers and body may hold `{name}`: a
text kept from an earlier answer, or `{mark}`, which is new in every conversation and on either side. A conversation
creates what it needs, so it works on any database.
"""

from loadtests.check.steps import JSON, Conversation, Step, post, refused

_ITEM = post("/api/items", '{"name":"{mark} oak","price_cents":250,"stock":10}', keep={"item": "id"})
_USER_BODY = '{"username":"u{mark}","email":"U{mark}@example.com","password":"correct horse"}'
_USER = post("/api/users", _USER_BODY, keep={"user": "id"})
_ORDER = '{"user_id":{user},"lines":[{"item_id":{item},"quantity":3}]}'
_ECHO = '{"user_id":1,"lines":[{"item_id":2,"quantity":3}]}'
_KEYED = {**JSON, "Idempotency-Key": "{mark}"}
_OWN = {"Authorization": "Bearer {token}"}
# {"alg":"none"} {"sub":"1","admin":true,"iat":1700000000,"exp":4000000000}, unsigned
_UNSIGNED = (
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIiwiYWRtaW4iOnRydWUsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjo0MDAwMDAwMDAwfQ."
)
_MALFORMED = (
    b"",
    b"{",
    b'{"user_id":NaN}',
    b'{"user_id":Infinity}',
    b'"\xff"',
    b'"\\ud800"',
    b"[" * 100_000,
    b"1" * 5000,
)

_FORM = {"Content-Type": "multipart/form-data; boundary=part"}


def _form(file: str) -> str:
    """A form with one file."""
    head = '--part\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    return f"{head}{file}\r\n--part--\r\n"


CONVERSATIONS = (
    Conversation(
        "an item's life",
        (
            _ITEM,
            Step("GET", "/api/items/{item}", 200),
            Step("HEAD", "/api/items/{item}", 200),
            Step("GET", "/api/items/{item}/cached", 200),
            Step("GET", "/api/items/{item}", 304, headers={"If-None-Match": "*"}),
            Step("GET", "/api/items/{item}/cached", 304, headers={"If-None-Match": "*"}),
            Step("GET", "/api/items/000{item}", 200),
            Step("GET", "/api/items?q={mark}%20OAK&sort=-price", 200),
            Step("GET", "/api/items?q={mark}%25", 200),
            Step("PUT", "/api/items/{item}", 200, '{"name":"{mark} \u00e9","price_cents":1}', JSON),
            Step("GET", "/api/items?q={mark}%20%C3%89&in_stock=false&min_price=1&max_price=1", 200),
            Step("GET", "/api/items/{item}/cached", 200),
            Step("PATCH", "/api/items/{item}", 200, '{"stock":4}', JSON),
            Step("PATCH", "/api/items/{item}", 422, "{}", JSON, "invalid", (("", "missing"),)),
            Step("DELETE", "/api/items/{item}", 204),
            Step("DELETE", "/api/items/{item}", 404, code="not_found"),
            Step("GET", "/api/items/{item}", 404, code="not_found"),
        ),
    ),
    Conversation(
        "a batch is all or none",
        (
            post(
                "/api/items/batch",
                '{"items":[{"name":"{mark} a","price_cents":5},{"name":"{mark} b","price_cents":5}]}',
            ),
            refused(
                "/api/items/batch",
                '{"items":[{"name":"{mark} c","price_cents":5},{}]}',
                ("/items/1/name", "missing"),
                ("/items/1/price_cents", "missing"),
            ),
            refused("/api/items/batch", '{"items":[]}', ("/items", "too_short")),
            Step("GET", "/api/items?q={mark}&sort=-price", 200),
            Step("GET", "/api/items?q={mark}&limit=1&offset=1", 200),
        ),
    ),
    Conversation(
        "a user's life",
        (
            _USER,
            post("/api/users", _USER_BODY.replace("U{mark}@", "x{mark}@"), 409, code="taken"),
            post(
                "/api/users",
                _USER_BODY.replace('"u{mark}', '"v{mark}').replace("example", "EXAMPLE"),
                409,
                code="taken",
            ),
            refused(
                "/api/users",
                '{"username":"A","email":"a b@c.de","is_admin":1}',
                ("/email", "bad_format"),
                ("/is_admin", "wrong_type"),
                ("/password", "missing"),
                ("/username", "bad_format"),
            ),
            Step("PATCH", "/api/users/{user}", 200, '{"is_admin":true}', JSON),
            Step("GET", "/api/users/{user}", 200),
            Step("DELETE", "/api/users/{user}", 204),
            Step("GET", "/api/users/{user}", 404, code="not_found"),
        ),
    ),
    Conversation(
        "orders take stock and give it back",
        (
            _ITEM,
            _USER,
            post("/api/orders", _ORDER, keep={"order": "id"}),
            Step("GET", "/api/orders/{order}", 200),
            post("/api/orders", _ORDER.replace(":3}", ":8}"), 409, code="out_of_stock"),
            post("/api/orders", _ORDER.replace("{item}", str(2**63 - 1)), 404, code="not_found"),
            Step("GET", "/api/items/{item}", 200),
            Step("DELETE", "/api/items/{item}", 409, code="in_use"),
            Step("DELETE", "/api/users/{user}", 409, code="in_use"),
            Step("POST", "/api/orders/{order}/cancel", 200),
            Step("POST", "/api/orders/{order}/cancel", 409, code="already_cancelled"),
            Step("GET", "/api/items/{item}", 200),
            Step("GET", "/api/orders?user_id={user}", 200),
        ),
    ),
    Conversation(
        "an idempotency key gives the first answer",
        (
            _ITEM,
            _USER,
            post("/api/orders", _ORDER, headers=_KEYED, keep={"order": "id"}),
            post("/api/orders", _ORDER, headers=_KEYED),
            Step("POST", "/api/orders/{order}/cancel", 200),
            post("/api/orders", _ORDER, headers=_KEYED),
            post(
                "/api/orders", _ORDER.replace(":3}", ":4}"), 409, headers=_KEYED, code="idempotency_conflict"
            ),
            post(
                "/api/orders",
                _ORDER,
                422,
                headers={**JSON, "Idempotency-Key": "a b"},
                code="invalid",
                pointers=(("Idempotency-Key", "bad_format"),),
            ),
            Step("GET", "/api/items/{item}", 200),
        ),
    ),
    Conversation(
        "who may do what",
        (
            *(
                Step(method, path, 401, "{", {"Authorization": authorization}, "unauthorized")
                for authorization in ("", "Bearer x", "Basic eDp4", f"Bearer {_UNSIGNED}")
                for method, path in (
                    ("POST", "/api/items"),
                    ("PATCH", "/api/items/1"),
                    ("GET", "/api/users"),
                    ("GET", "/api/users/me"),
                    ("POST", "/api/orders"),
                )
            ),
            _USER,
            _ITEM,
            post("/api/auth/token", '{"username":"u{mark}","password":"wrong"}', 401, code="unauthorized"),
            post(
                "/api/auth/token",
                '{"username":"u{mark}","password":"correct horse"}',
                200,
                keep={"token": "access_token"},
            ),
            Step("GET", "/api/users/me", 200, headers=_OWN),
            Step("GET", "/api/users/1", 403, headers=_OWN, code="forbidden"),
            Step("GET", "/api/users", 403, headers=_OWN, code="forbidden"),
            Step("DELETE", "/api/items/{item}", 403, headers=_OWN, code="forbidden"),
            Step("PATCH", "/api/users/{user}", 403, '{"is_admin":true}', JSON | _OWN, "forbidden"),
            post("/api/orders", _ORDER, headers=JSON | _OWN, keep={"order": "id"}),
            post("/api/orders", _ORDER.replace("{user}", "1"), 403, headers=JSON | _OWN, code="forbidden"),
            Step("GET", "/api/orders", 200, headers=_OWN),
            Step("GET", "/api/orders?user_id=1", 403, headers=_OWN, code="forbidden"),
            Step("POST", "/api/orders/{order}/cancel", 200, headers=_OWN),
        ),
    ),
    Conversation(
        "bodies are JSON, declared, and not too large",
        (
            post("/api/probe/echo", _ECHO, 200),
            *(post("/api/probe/echo", body, 400, code="malformed_json") for body in _MALFORMED),
            Step(
                "POST",
                "/api/probe/echo",
                415,
                _ECHO,
                {"Content-Type": "text/plain"},
                "unsupported_media_type",
            ),
            post(
                "/api/probe/echo",
                b" " * (1024 * 1024 + 1),
                413,
                headers={**JSON, "Connection": "close"},
                code="too_large",
            ),
            refused("/api/probe/echo", "null", ("", "wrong_type")),
            refused(
                "/api/probe/echo", _ECHO.replace("1,", "10000000000000000000000,"), ("/user_id", "too_large")
            ),
            refused(
                "/api/items",
                '{"name":"a\\u0000","price_cents":true,"x":1}',
                ("/name", "bad_format"),
                ("/price_cents", "wrong_type"),
                ("/x", "unknown_field"),
            ),
        ),
    ),
    Conversation(
        "paths, methods and query",
        (
            *(
                Step("GET", path, 404, code="not_found")
                for path in (
                    "/nope",
                    "/api/items/",
                    "/api/items/0",
                    "/api/items/-1",
                    "/api/items/9223372036854775808",
                    "/api//items",
                    "/api/items/%D9%A1",
                )
            ),
            Step("DELETE", "/api/probe/ping", 405, code="method_not_allowed"),
            Step("OPTIONS", "/api/items/1", 204),
            Step("OPTIONS", "/nope", 404, code="not_found"),
            Step(
                "GET",
                "/api/items?limit=1&limit=2",
                422,
                code="invalid",
                pointers=(("?limit", "not_allowed"),),
            ),
            Step(
                "GET",
                "/api/items?limit=0&offset=%201&in_stock=1&sort=x&min_price=-1",
                422,
                code="invalid",
                pointers=(
                    ("?in_stock", "wrong_type"),
                    ("?limit", "too_small"),
                    ("?min_price", "too_small"),
                    ("?offset", "wrong_type"),
                    ("?sort", "not_allowed"),
                ),
            ),
            Step("GET", "/api/probe/ping", 200, headers={"X-Request-ID": "mine-1"}),
            Step("GET", "/api/probe/json?n=7", 200),
            Step("GET", "/api/probe/sleep?ms=1", 200),
            Step("GET", "/api/probe/cpu?n=5", 200),
            Step("GET", "/healthz", 200),
            Step("GET", "/readyz", 200),
        ),
    ),
    Conversation(
        "an image, an export and a prediction",
        (
            _ITEM,
            Step("GET", "/api/items/{item}/image", 404, code="not_found"),
            Step("PUT", "/api/items/{item}/image", 200, _form("GIF89a, not much"), _FORM),
            Step("PUT", "/api/items/{item}/image", 415, _form("{mark}"), _FORM, "unsupported_media_type"),
            Step("PUT", "/api/items/{item}/image", 415, "{}", JSON, "unsupported_media_type"),
            Step("PUT", "/api/items/{item}/image", 401, headers={"Authorization": ""}, code="unauthorized"),
            Step("GET", "/api/items/{item}/image", 200),
            Step("HEAD", "/api/items/{item}/image", 200),
            Step("GET", "/api/items/{item}/image", 206, headers={"Range": "bytes=3-5"}),
            Step("GET", "/api/items/{item}/image", 304, headers={"If-None-Match": "*"}),
            Step("GET", "/api/items/export.ndjson?q={mark}", 200),
            Step("HEAD", "/api/items/export.csv?q={mark}", 200),
            Step("GET", "/api/items/export.csv?min_price=x", 422, pointers=(("?min_price", "wrong_type"),)),
            Step("POST", "/api/predict", 200, _form("x1,x2,x3,x4,x5,x6,x7,x8\n1,2,3,4,5,6,7,-8"), _FORM),
            Step("POST", "/api/predict", 422, _form("1,2"), _FORM, "invalid", (("/file", "bad_format"),)),
            Step("DELETE", "/api/items/{item}", 204),
            Step("GET", "/api/items/{item}/image", 404, code="not_found"),
        ),
    ),
)
