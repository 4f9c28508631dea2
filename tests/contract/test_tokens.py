"""Bearer tokens: those that speak for a user, and those that are refused."""

import json
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any

import httpx2
import jwt
import pytest

from shared.http.tokens import issue_token
from shared.shop.callers import Caller
from shared.shop.limits import now
from tests.support.shop import JWT_SECRET, bearer, in_process, problem


def encoded(part: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def token(claims: dict[str, Any], secret: str = JWT_SECRET, algorithm: str = "HS256") -> str:
    """A token for user 3, with some claims changed; None leaves one away."""
    times = {"iat": now(), "exp": now() + timedelta(hours=2)}
    merged = {"sub": "3", "admin": False} | times | claims
    kept = {name: value for name, value in merged.items() if value is not None}
    return jwt.encode(kept, secret, algorithm)


CLAIMS = {"sub": "3", "admin": True, "iat": 1_700_000_000, "exp": 4_000_000_000}
UNSIGNED = f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(CLAIMS)}."
BAD_TOKENS = {
    "alg none": UNSIGNED,
    "alg none, signed anyway": UNSIGNED + "c2ln",
    "a foreign key": token({}, secret="another secret, of at least thirty-two bytes"),
    "another algorithm": token({}, secret=JWT_SECRET * 2, algorithm="HS512"),
    "expired": token({"exp": now() - timedelta(seconds=1)}),
    "not yet valid": token({"nbf": now() + timedelta(hours=1)}),
    "issued in the future": token({"iat": now() + timedelta(hours=1)}),
    "never expires": token({"exp": None}),
    "nobody": token({"sub": None}),
    "no number": token({"sub": "admin"}),
    "zero": token({"sub": "0"}),
    "beyond all ids": token({"sub": str(2**63)}),
    "no rights": token({"admin": None}),
    "rights of a wrong type": token({"admin": "yes"}),
    "two parts": token({}).rpartition(".")[0],
    "words": "not a token",
    "bytes": "\xff\xfe.\xff.\xff",
    "deep": f"{'W' * 4000}.e30.e30",
}


@in_process
@pytest.mark.parametrize("name", BAD_TOKENS)
def test_a_token_that_is_not_valid_is_refused(client: httpx2.Client, name: str) -> None:
    authorization = f"Bearer {BAD_TOKENS[name]}".encode("latin-1")
    answer = client.get("/api/users/me", headers={b"Authorization": authorization})
    problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("authorization", ["Basic dXNlcjpwdw==", "Bearer", "", "bearer", "Token x"])
def test_another_scheme_is_refused(client: httpx2.Client, authorization: str) -> None:
    answer = client.get("/api/users/me", headers={"Authorization": authorization})
    problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@in_process
def test_the_scheme_is_known_in_any_case(client: httpx2.Client) -> None:
    lower = bearer(3)["Authorization"].replace("Bearer", "bEARER")
    assert client.get("/api/users/me", headers={"Authorization": lower}).json()["id"] == 3


@in_process
def test_a_token_of_a_user_who_is_gone_finds_nobody(client: httpx2.Client) -> None:
    problem(client.get("/api/users/me", headers=bearer(999_999)), 404, "not_found")


def test_a_token_says_nothing_but_who_and_until_when() -> None:
    issued = issue_token(Caller(3, is_admin=False), JWT_SECRET, now())
    claims = jwt.decode(issued, JWT_SECRET, ["HS256"])
    assert set(claims) == {"sub", "admin", "iat", "exp"}
    assert claims["exp"] - claims["iat"] == 900
