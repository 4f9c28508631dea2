"""Both apps give the same answers to what every scenario of the catalog asks, but for what it says may differ."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from loadtests.config.contestants import load_contestants
from loadtests.config.scenarios import Scenario, load_scenarios
from loadtests.load.canonical import canonical
from loadtests.load.connection import Answer, Connection
from loadtests.load.loops import SERIALS
from loadtests.load.recording import has_keys
from loadtests.load.requests import Prepared, prepare, prepare_setup
from loadtests.load.websocket import WebSocketConnection
from loadtests.machine.servers import Endpoint, launched
from loadtests.machine.services import Services
from tests.support.driving import ANY_CPU, CATALOG

APPS = ("flask-gthread", "fastapi-uvicorn")
SCENARIOS = load_scenarios(CATALOG)
REQUESTS = 16


@pytest.fixture(scope="module")
def apps(
    running_services: Services,
    new_database: Callable[[], str],
    partner_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[Endpoint]]:
    """Both apps as a run starts them, each with a database and a folder of its own."""
    contestants = load_contestants(CATALOG)
    environments = {
        name: {
            "SERVER_NAME": name,
            "SHOP_ENV": "development",
            "DATABASE_URL": new_database(),
            "REDIS_URL": running_services.redis_url,
            "UPSTREAM_URL": partner_url,
            "MEDIA_DIR": str(tmp_path_factory.mktemp("media")),
        }
        for name in APPS
    }
    with ExitStack() as stack:
        endpoints = stack.enter_context(launched([contestants[name] for name in APPS], environments, ANY_CPU))
        yield list(endpoints.values())


def answers(app: Endpoint, scenario: Scenario) -> list[Answer]:
    """The app's answers to the setup requests and to the first measured ones."""
    connection = Connection(app.host, app.port)
    for request in prepare_setup(scenario, seed=3):
        connection.request(request.wire)
    if scenario.socket_path:
        connection = WebSocketConnection(app.host, app.port, scenario.socket_path)
    found = [connection.request(wire_of(one), keep_body=True) for one in prepare(scenario, seed=3)[:REQUESTS]]
    connection.close()
    return found


def wire_of(request: Prepared) -> bytes:
    return request.numbered(next(SERIALS)) if request.serials else request.wire


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_apps_answer_alike(apps: list[Endpoint], name: str) -> None:
    scenario = SCENARIOS[name]
    requests = prepare(scenario, seed=3)[:REQUESTS]

    flask, fastapi = (answers(app, scenario) for app in apps)

    for request, *both in zip(requests, flask, fastapi, strict=True):
        assert [one.status for one in both] == [request.status] * 2
        assert all(has_keys(one.body or b"", request.keys) for one in both if request.json)
        one, other = (canonical(one.body or b"", request.varies, is_json=request.json) for one in both)
        assert one == other
