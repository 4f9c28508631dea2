"""The two OpenAPI documents say the same of every path, method, parameter, body and answer."""

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.generated import LEFT_OUT, ROUTES, SLOW_ROUTES
from tests.support.openapi import normalised_paths

API_PAGE = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.fixture(scope="module")
def flask_paths(flask_in_process: httpx2.Client) -> dict[str, Any]:
    return normalised_paths(flask_in_process.get("/openapi.json").json())


@pytest.fixture(scope="module")
def fastapi_paths(fastapi_in_process: httpx2.Client) -> dict[str, Any]:
    return normalised_paths(fastapi_in_process.get("/openapi.json").json())


def test_both_documents_describe_the_same_operations(
    flask_paths: dict[str, Any], fastapi_paths: dict[str, Any]
) -> None:
    assert {path: set(methods) for path, methods in flask_paths.items()} == {
        path: set(methods) for path, methods in fastapi_paths.items()
    }


@pytest.mark.parametrize("part", ["parameters", "requestBody", "responses", "security"])
def test_every_operation_takes_and_gives_the_same(
    flask_paths: dict[str, Any], fastapi_paths: dict[str, Any], part: str
) -> None:
    for path, operations in flask_paths.items():
        for method, operation in operations.items():
            assert operation.get(part) == fastapi_paths[path][method].get(part), (method, path)


def test_nothing_else_is_said_of_an_operation(
    flask_paths: dict[str, Any], fastapi_paths: dict[str, Any]
) -> None:
    for paths in (flask_paths, fastapi_paths):
        for operations in paths.values():
            for operation in operations.values():
                assert set(operation) <= {"parameters", "requestBody", "responses", "security"}


def test_both_documents_ask_for_the_same_tokens(
    flask_in_process: httpx2.Client, fastapi_in_process: httpx2.Client
) -> None:
    first, second = (
        client.get("/openapi.json").json()["components"]["securitySchemes"]
        for client in (flask_in_process, fastapi_in_process)
    )
    assert first == second == {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}


def test_a_bound_that_differs_is_seen(flask_in_process: httpx2.Client) -> None:
    document = flask_in_process.get("/openapi.json").json()
    before = normalised_paths(document)
    document["components"]["schemas"]["LineIn"]["properties"]["quantity"]["maximum"] += 1
    assert normalised_paths(document)["/api/orders"] != before["/api/orders"]


def test_every_operation_is_asked_for_at_random(flask_paths: dict[str, Any]) -> None:
    asked = {(method, path.partition("?")[0]) for method, path, _ in (*ROUTES, *SLOW_ROUTES)}
    documented = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path))
        for path, methods in flask_paths.items()
        for method in methods
    }

    assert documented - asked == {("GET", path) for path in LEFT_OUT}


def test_every_path_stands_in_the_description_of_the_api(flask_paths: dict[str, Any]) -> None:
    page = re.sub(r"\{\w+\}", "{}", API_PAGE.read_text(encoding="utf-8"))

    assert [path for path in flask_paths if re.sub(r"\{\w+\}", "{}", path) not in page] == []
