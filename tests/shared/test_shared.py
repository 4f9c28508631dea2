"""Limits, bodies, words for faults, seeds, services and settings."""

import json
import random
import re
from typing import Any

import pytest
from argon2 import extract_parameters
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fastapi_app.api import media_type_of
from loadtests.errors import ServerError
from loadtests.machine.services import services
from shared.http.body import parse_json
from shared.ops.settings import DEVELOPMENT_SECRET, Settings, settings_from, sqlalchemy_url
from shared.shop import passwords, seed
from shared.shop.errors import KINDS, Internal, Invalid, MalformedJson, problem, violated
from shared.shop.faults import fault, pointer_to
from shared.shop.limits import PATH_ID

PURE = settings(database=None, deadline=None, max_examples=200)
ID_MAX = 2**63 - 1
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda below: (
        st.lists(below, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), below)
    ),
    max_leaves=12,
)


@PURE
@given(number=st.integers(-5, 2**70) | st.integers(ID_MAX - 50, ID_MAX + 50), zeros=st.integers(0, 30))
@example(number=ID_MAX, zeros=0)
@example(number=ID_MAX + 1, zeros=0)
@example(number=0, zeros=3)
def test_a_path_id_is_exactly_an_integer_from_one_to_the_largest(number: int, zeros: int) -> None:
    matches = re.fullmatch(PATH_ID, "0" * zeros + str(number)) is not None
    assert matches == (1 <= number <= ID_MAX)


@PURE
@given(text=st.text(max_size=6))
def test_a_path_id_is_ascii_digits_and_nothing_else(text: str) -> None:
    is_id = re.fullmatch("[0-9]+", text) is not None and int(text) > 0
    assert (re.fullmatch(PATH_ID, text) is not None) == is_id


@PURE
@given(document=documents)
@example(document={"a": [10**30, -(10**25), "]" * 3]})
def test_a_document_is_parsed_as_it_was_written(document: Any) -> None:
    assert parse_json(json.dumps(document, ensure_ascii=False).encode()) == document
    assert parse_json(json.dumps(document).encode()) == document


@PURE
@given(data=st.binary(max_size=40))
@example(data=b"[" * 500 + b"1" * 40 + b"]" * 500)
@example(data=b"1" * 5000)
@example(data=b'{"a":"\\ud800","b":11111111111111111111}')
def test_whatever_else_is_malformed_and_never_another_error(data: bytes) -> None:
    try:
        document = parse_json(data)
    except MalformedJson:
        return
    assert document == json.loads(data)


@pytest.mark.parametrize(
    "given_type", ["application/json", "APPLICATION/JSON ; charset=utf-8", " application/json"]
)
def test_json_is_recognised(given_type: str) -> None:
    assert media_type_of(given_type) == "application/json"


@pytest.mark.parametrize(
    "given_type", [None, "", "text/json", "application/json+x", "json", "application/json,x"]
)
def test_other_types_are_not(given_type: str | None) -> None:
    assert media_type_of(given_type) != "application/json"


def test_pointers_escape_slash_and_tilde() -> None:
    assert pointer_to(["a/b", 0, "c~d", ""]) == "/a~1b/0/c~0d/"


def test_faults_are_sorted_by_pointer() -> None:
    errors = problem(Invalid([fault("/b", "missing"), fault("/a", "too_small", 1)]))["errors"]
    assert [(error["pointer"], error["message"]) for error in errors] == [
        ("/a", "This must be at least 1."),
        ("/b", "This field is required."),
    ]


def test_a_constraint_that_nobody_knows_is_internal_and_leaks_nothing() -> None:
    assert isinstance(violated(None), Internal)
    assert "constraint" not in str(problem(violated(ValueError("secret")))).lower()


def test_every_code_is_one_status() -> None:
    codes = [kind.code for kind in KINDS.values()]
    assert len(codes) == len(set(codes))


def test_the_same_seed_gives_the_same_rows() -> None:
    assert seed.item_rows(random.Random(3)) == seed.item_rows(random.Random(3))
    assert seed.item_rows(random.Random(3)) != seed.item_rows(random.Random(4))


def test_every_seeded_order_has_one_to_five_different_items() -> None:
    rng = random.Random(0)
    items, orders = seed.item_rows(rng), seed.order_rows(rng)
    lines: dict[int, list[int]] = {}
    for line in seed.line_rows(rng, items, orders):
        lines.setdefault(line["order_id"], []).append(line["item_id"])
    assert len(lines) == len(orders)
    assert all(1 <= len(ids) <= 5 and len(set(ids)) == len(ids) for ids in lines.values())


@pytest.mark.parametrize(
    "url", ["nonsense", "mysql://x/y", "postgresql://u@/d?host=/nowhere", "postgresql://h:port/d"]
)
def test_a_database_url_that_does_not_work_is_one_clear_line(url: str) -> None:
    with pytest.raises(ServerError, match="DATABASE_URL") as raised, services({"DATABASE_URL": url}):
        pass
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["nonsense", "http://x", "redis://127.0.0.1:port", "unix:///nowhere/redis.sock"]
)
def test_a_cache_url_that_does_not_work_is_one_clear_line(url: str) -> None:
    with pytest.raises(ServerError, match="REDIS_URL") as raised, services({"REDIS_URL": url}):
        pass
    assert "\n" not in str(raised.value)


def test_settings_come_from_the_environment() -> None:
    environment = {
        "DATABASE_URL": "postgresql://a/b",
        "REDIS_URL": "redis://c",
        "JWT_SECRET": "x" * 32,
        "SERVER_NAME": "d",
        "POOL_SIZE": "3",
    }
    read = settings_from(environment)
    assert (read.database_url, read.redis_url, read.server, read.pool_size) == (
        "postgresql://a/b",
        "redis://c",
        "d",
        3,
    )


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("POOL_SIZE", "ten", "POOL_SIZE must be a whole number of at least 1, not 'ten'"),
        ("POOL_SIZE", "0", "POOL_SIZE must be a whole number of at least 1, not '0'"),
        ("UPSTREAM_MAX_CALLS", "-1", "UPSTREAM_MAX_CALLS must be a whole number of at least 1"),
        ("CACHE_TTL_S", "0", "CACHE_TTL_S must be a whole number of at least 1"),
        ("UPSTREAM_TIMEOUT_S", "nan", "UPSTREAM_TIMEOUT_S must be a number of at least 0.001"),
        ("DRAIN_S", "inf", "DRAIN_S must be a number of at least 0.0"),
        ("ACCESS_LOG", "true", "ACCESS_LOG must be 1 or 0, not 'true'"),
        ("LOG_LEVEL", "CRITICAL", "LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR"),
    ],
)
def test_a_setting_that_is_wrong_is_named_with_what_it_may_be(name: str, value: str, told: str) -> None:
    environment = {"DATABASE_URL": "postgresql://a/b", "REDIS_URL": "redis://c", "JWT_SECRET": "x" * 32}
    with pytest.raises(ValueError, match=re.escape(told)):
        settings_from(environment | {name: value})
    assert settings_from(environment | {name: ""}) == settings_from(environment)


@pytest.mark.parametrize("secret", ["", "x" * 31, DEVELOPMENT_SECRET])
def test_without_a_secret_of_its_own_a_shop_runs_in_development_only(secret: str) -> None:
    environment = {"DATABASE_URL": "postgresql://a/b", "REDIS_URL": "redis://c", "JWT_SECRET": secret}
    with pytest.raises(ValueError, match="JWT_SECRET"):
        settings_from(environment)
    assert "x" * 32 not in repr(settings_from(environment | {"JWT_SECRET": "x" * 32}))
    assert settings_from(environment | {"JWT_SECRET": "", "SHOP_ENV": "development"}).jwt_secret


def test_who_does_not_exist_is_verified_at_the_cost_of_who_does() -> None:
    assert extract_parameters(passwords.NOBODY) == extract_parameters(passwords.hash_password("anything"))
    assert not passwords.matches(None, "anything")


@pytest.mark.parametrize("missing", ["DATABASE_URL", "REDIS_URL"])
def test_a_missing_url_is_named(missing: str) -> None:
    environment = {"DATABASE_URL": "postgresql://a/b", "REDIS_URL": "redis://c"} | {missing: ""}
    with pytest.raises(ValueError, match=missing):
        settings_from(environment)


@pytest.mark.parametrize("url", ["postgres://u@h/d", "postgresql://u@h/d", "postgresql+asyncpg://u@h/d"])
def test_every_postgres_url_gets_the_one_driver(url: str) -> None:
    assert sqlalchemy_url(url) == "postgresql+psycopg://u@h/d"


@pytest.mark.parametrize(
    ("database_url", "namespace"),
    [
        ("postgresql://me:secret@db.example:5432/shop_7?sslmode=require", "shop_7"),
        ("postgresql://postgres@/a%20copy?host=/tmp/pgdata", "a copy"),
        ("postgresql://localhost", "shop"),
    ],
)
def test_a_shop_is_named_after_its_database(database_url: str, namespace: str) -> None:
    assert Settings(database_url, "redis://localhost", "x" * 32).namespace == namespace
