"""Requests that no app accepts."""

import random
from collections.abc import Iterator

from loadtests.check.steps import Step

_ROUTES = (
    "/api/items",
    "/api/items/batch",
    "/api/users",
    "/api/orders",
    "/api/probe/echo",
    "/api/items/0",
    "/nope",
)
_VALUES = (
    "null",
    "true",
    "5.0",
    '"5"',
    "-1",
    "[]",
    "{}",
    '""',
    '"a\\u0000"',
    "1e3",
    "99999999999999999999",
    "NaN",
)
_NAMES = ("name", "price_cents", "stock", "items", "username", "email", "user_id", "lines", "other")


def broken_requests(seed: int, count: int = 300) -> Iterator[Step]:
    """Requests that no app accepts, drawn from a seed; `status` 0: any refusal, as long as it is the same."""
    rng = random.Random(seed)
    for _ in range(count):
        # `broken` is no field of any schema: whatever else is drawn, the body is refused.
        members = [f'"{rng.choice(_NAMES)}":{rng.choice(_VALUES)}' for _ in range(rng.randrange(5))]
        body = ("{" + ",".join([*members, '"broken":0']) + "}").encode()
        if rng.random() < 0.3:
            place = rng.randrange(len(body))
            body = body[:place] + rng.randbytes(rng.randrange(3)) + body[place + 1 :]
        declared = rng.choice(["application/json"] * 4 + ["text/plain", "application/json; charset=utf-8"])
        method = rng.choice(("POST", "POST", "POST", "PATCH", "PUT"))
        yield Step(method, rng.choice(_ROUTES), 0, body, {"Content-Type": declared})
