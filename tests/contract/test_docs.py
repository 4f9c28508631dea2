"""The OpenAPI document and the page that shows it."""

import re

import httpx2
import pytest

ROUTES = {
    "/api/items": {"get", "post"},
    "/api/items/batch": {"post"},
    "/api/items/{item_id}": {"get", "put", "patch", "delete"},
    "/api/users": {"get", "post"},
    "/api/users/{user_id}": {"get", "patch", "delete"},
    "/api/orders": {"get", "post"},
    "/api/orders/{order_id}": {"get"},
    "/api/orders/{order_id}/cancel": {"post"},
    "/healthz": {"get"},
    "/readyz": {"get"},
    "/version": {"get"},
    "/api/probe/ping": {"get"},
    "/api/probe/json": {"get"},
    "/api/probe/echo": {"post"},
    "/api/probe/sleep": {"get"},
    "/api/probe/blocking": {"get"},
    "/api/probe/cpu": {"get"},
    "/api/probe/requests": {"get"},
}


def test_the_document_describes_every_route_of_the_contract(client: httpx2.Client) -> None:
    response = client.get("/openapi.json")
    document = response.json()
    assert response.headers["content-type"] == "application/json"
    assert document["openapi"].startswith("3.1")
    described = {path: set(operations) for path, operations in document["paths"].items()}
    assert {path: methods for path, methods in described.items() if path in ROUTES} == ROUTES


def test_every_reference_in_the_document_leads_somewhere(client: httpx2.Client) -> None:
    response = client.get("/openapi.json")
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', response.text))
    assert named
    assert named <= set(response.json()["components"]["schemas"])


def test_the_page_loads_nothing_from_the_network(client: httpx2.Client) -> None:
    response = client.get("/docs")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.search(r"(?:https?:)?//[a-z]", response.text)


def test_everything_that_the_page_loads_is_there(client: httpx2.Client) -> None:
    loaded = re.findall(r'(?:src|href)="([^"]+)"', client.get("/docs").text)
    names = {path.rpartition("/")[2] for path in loaded}
    assert {"swagger-ui.css", "swagger-ui-bundle.js"} <= names
    assert {path: client.get(path).status_code for path in loaded} == dict.fromkeys(loaded, 200)


@pytest.mark.parametrize("name", ["nothing.js", "..%2f..%2fsecret", "%2e%2e/setup.py"])
def test_other_files_are_not_found(client: httpx2.Client, name: str) -> None:
    assert client.get(f"/docs/assets/{name}").status_code == 404


def test_the_reference_loads_local_files_alone(flask_in_process: httpx2.Client) -> None:
    page = flask_in_process.get("/redoc").text
    loaded = re.findall(r'(?:src|href|spec-url)="([^"]+)"', page)
    assert "/docs/assets/redoc.standalone.js" in loaded
    assert not re.search(r"(?:https?:)?//[a-z]", page)
    assert {path: flask_in_process.get(path).status_code for path in loaded} == dict.fromkeys(loaded, 200)
