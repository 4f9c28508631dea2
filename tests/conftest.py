"""Running services, and the shop behind a client: in process and over the wire, on Flask and on FastAPI."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import httpx2
import pytest
from hypothesis import settings as hypothesis_settings

import loadtests
from loadtests.config.contestants import load_contestants
from loadtests.machine.databases import database_copy, seeded_template
from loadtests.machine.servers import launched
from loadtests.machine.services import Services, partner, services
from shared.ops.settings import Settings
from tests.support.clients import Opened, fastapi_client, flask_client
from tests.support.shop import ADMIN, JWT_SECRET

# How long an example takes says something of this machine, and nothing of the code.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")

CATALOG = Path(loadtests.__path__[0], "catalog")
CLIENTS = ("flask_in_process", "fastapi_in_process", "flask_on_gunicorn", "fastapi_on_uvicorn")
Pair = tuple[httpx2.Client, httpx2.Client]
NewDatabase = Callable[[], str]


@pytest.fixture(scope="session")
def running_services() -> Iterator[Services]:
    """PostgreSQL and Redis, started once."""
    with services() as running:
        yield running


@pytest.fixture(scope="session")
def seeded_database(running_services: Services) -> Iterator[str]:
    """The name of a seeded database, to be copied and never to be changed."""
    with seeded_template(running_services.database_url) as name:
        yield name


@pytest.fixture(scope="session")
def new_database(running_services: Services, seeded_database: str) -> Iterator[NewDatabase]:
    """Makes one more copy of the seeded database; gives its URL."""
    with ExitStack() as copies:
        yield lambda: copies.enter_context(database_copy(running_services.database_url, seeded_database))


@pytest.fixture(scope="session")
def media_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where all apps of the tests keep their images: every file has a name of its own."""
    return str(tmp_path_factory.mktemp("media"))


@pytest.fixture(scope="session")
def new_settings(
    running_services: Services, new_database: NewDatabase, media_dir: str
) -> Callable[[], Settings]:
    """Settings of an app with a database of its own."""
    return lambda: Settings(new_database(), running_services.redis_url, JWT_SECRET, media_dir=media_dir)


@pytest.fixture(scope="session")
def partner_url() -> Iterator[str]:
    """The partner service, started once."""
    with partner() as (url, _):
        yield url


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def url_of(
    running_services: Services, new_database: NewDatabase, partner_url: str, media_dir: str
) -> Iterator[Callable[[str], str]]:
    """Starts a contestant by name, once, on a database of its own; gives its URL."""
    contestants = load_contestants(CATALOG)
    with ExitStack() as servers:

        @cache
        def start(name: str) -> str:
            environment = {
                "DATABASE_URL": new_database(),
                "REDIS_URL": running_services.redis_url,
                "SERVER_NAME": name,
                "JWT_SECRET": JWT_SECRET,
                "UPSTREAM_URL": partner_url,
                "MEDIA_DIR": media_dir,
            }
            endpoints = servers.enter_context(launched([contestants[name]], {name: environment}, cpus=()))
            return f"http://{endpoints[name].host}:{endpoints[name].port}"

        yield start


@pytest.fixture(scope="session")
def flask_in_process(new_settings: Callable[[], Settings]) -> Iterator[httpx2.Client]:
    with flask_client(new_settings()) as client:
        yield client


@pytest.fixture(scope="session")
def fastapi_in_process(new_settings: Callable[[], Settings]) -> Iterator[httpx2.Client]:
    with fastapi_client(new_settings()) as client:
        yield client


@pytest.fixture(scope="session")
def flask_on_gunicorn(url_of: Callable[[str], str]) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=url_of("flask-gthread"), headers=ADMIN, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def fastapi_on_uvicorn(url_of: Callable[[str], str]) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=url_of("fastapi-uvicorn"), headers=ADMIN, timeout=30) as client:
        yield client


@pytest.fixture(scope="session", params=CLIENTS)
def client(request: pytest.FixtureRequest) -> httpx2.Client:
    """The shop, four times: each app in process and over the wire."""
    found: httpx2.Client = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session", params=[flask_client, fastapi_client], ids=["flask", "fastapi"])
def opened(request: pytest.FixtureRequest) -> Opened:
    """Opens one of the apps in this process, with settings of the test's own."""
    open_client: Opened = request.param
    return open_client


@pytest.fixture
def pair(running_services: Services, seeded_database: str) -> Iterator[Pair]:
    """Flask and FastAPI in process, on two fresh copies of the same database."""
    with ExitStack() as opened:
        urls = [
            opened.enter_context(database_copy(running_services.database_url, seeded_database))
            for _ in range(2)
        ]
        first, second = (Settings(url, running_services.redis_url, JWT_SECRET) for url in urls)
        yield (
            opened.enter_context(flask_client(first)),
            opened.enter_context(fastapi_client(second)),
        )
