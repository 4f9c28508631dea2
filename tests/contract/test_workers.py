"""Several workers behind one port tell their figures together; workers come and go without losing a request."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import replace

import httpx2
import psutil
import pytest

from loadtests.config.contestants import Contestant, load_contestants
from loadtests.errors import ServerError
from loadtests.machine.servers import Endpoint, launched
from loadtests.machine.services import Services
from tests.conftest import CATALOG
from tests.contract.test_metrics import samples
from tests.support.shop import JWT_SECRET
from tests.support.waiting import eventually

NAMES = ("flask-gthread", "fastapi-uvicorn")
ALL = (*NAMES, "flask-gevent", "fastapi-gunicorn")
TWO = {"--workers": "2"}
PATIENT = {"--graceful-timeout": "20", "--timeout-graceful-shutdown": "20"}
DRAIN_S, SLOW_MS = 3.0, 3500


def patient_one(contestant: Contestant) -> Contestant:
    """With time for what it has begun; those of NAMES with two workers."""
    words, changes = contestant.command, PATIENT | (TWO if contestant.name in NAMES else {})
    patient = tuple(changes.get(before, word) for before, word in zip(("", *words), words, strict=False))
    if contestant.name != "fastapi-gunicorn":
        return replace(contestant, command=patient)
    # As docs/guide.md has it: gunicorn's asgi worker drains by its configuration.
    return replace(contestant, command=(*patient[:-1], "-c", "python:shared.gunicorn_conf", patient[-1]))


NewServers = Callable[..., AbstractContextManager[dict[str, Endpoint]]]


@pytest.fixture(scope="module")
def new_servers(running_services: Services, tmp_path_factory: pytest.TempPathFactory) -> NewServers:
    """Launches contestants by name."""

    def launch(*names: str) -> AbstractContextManager[dict[str, Endpoint]]:
        catalog = load_contestants(CATALOG)
        environments = {
            name: {
                "DATABASE_URL": running_services.database_url,
                "REDIS_URL": running_services.redis_url,
                "JWT_SECRET": JWT_SECRET,
                "PROMETHEUS_MULTIPROC_DIR": str(tmp_path_factory.mktemp(name)),
                "DRAIN_S": str(DRAIN_S),
            }
            for name in names
        }
        return launched([patient_one(catalog[name]) for name in names], environments, cpus=())

    return launch


@pytest.fixture(scope="module")
def servers(new_servers: NewServers) -> Iterator[dict[str, Endpoint]]:
    """Both apps with two workers each."""
    with new_servers(*NAMES) as endpoints:
        yield endpoints


def url_of(server: Endpoint) -> str:
    return f"http://{server.host}:{server.port}"


def workers_of(server: Endpoint) -> set[int]:
    """The workers that answer now, each asked on a connection of its own."""
    return {httpx2.get(f"{url_of(server)}/api/probe/requests", timeout=30).json()["pid"] for _ in range(4)}


def children_of(server: Endpoint) -> set[int]:
    """The processes that the server has started and that have not ended."""
    with suppress(psutil.NoSuchProcess):
        children = psutil.Process(server.pid).children(recursive=True)
        return {child.pid for child in children if child.status() != psutil.STATUS_ZOMBIE}
    return set()


class Visitors(threading.Thread):
    """Requests one after the other, each on a connection of its own, until told to stop."""

    def __init__(self, server: Endpoint) -> None:
        super().__init__()
        self._home = url_of(server)
        self._end = threading.Event()
        self.answers: list[int | str] = []

    def run(self) -> None:
        while not self._end.is_set():
            self.visit()

    def visit(self) -> None:
        try:
            answer = httpx2.get(f"{self._home}/api/probe/sleep?ms=20", timeout=30)
            self.answers.append(answer.status_code)
        except httpx2.HTTPError as error:
            self.answers.append(repr(error))

    def stop(self) -> None:
        self._end.set()
        self.join()


class Balancer(Visitors):
    """The same, as a load balancer sends them: none any more once the server has said that it drains."""

    def run(self) -> None:
        while httpx2.get(f"{self._home}/readyz", timeout=30).status_code == 200:
            self.visit()


@pytest.mark.parametrize("name", NAMES)
def test_several_workers_tell_their_figures_together(servers: dict[str, Endpoint], name: str) -> None:
    server = servers[name]
    with httpx2.Client(base_url=url_of(server)) as client:
        before = samples(client, "shop_requests_total").get(
            '{method="GET",route="/api/probe/requests",status="200"}', 0.0
        )
        pids: set[int] = set()
        asked = 0
        while len(pids) < 2:
            pids |= workers_of(server)
            asked += 4
        counted = samples(client, "shop_requests_total")
        in_flight = samples(client, "shop_requests_in_flight")
    assert counted['{method="GET",route="/api/probe/requests",status="200"}'] == before + asked
    assert in_flight == {"": 1.0}


def test_no_request_fails_while_gunicorn_replaces_its_workers(new_servers: NewServers) -> None:
    with (
        suppress(ServerError),
        new_servers("flask-gthread") as servers,
    ):  # it does lose the workers that it had
        server = servers["flask-gthread"]
        before = children_of(server)
        visitors = [Visitors(server) for _ in range(2)]
        for one in visitors:
            one.start()
        os.kill(server.pid, signal.SIGHUP)
        eventually(lambda: not (before & children_of(server)), "all former workers have ended")
        for one in visitors:
            one.stop()
    assert {answer for one in visitors for answer in one.answers} == {200}


@pytest.mark.parametrize("name", ALL)
def test_a_server_that_is_told_to_stop_says_so_serves_on_and_finishes(
    new_servers: NewServers, name: str
) -> None:
    with suppress(ServerError), new_servers(name) as servers:
        server = servers[name]
        slow: list[int] = []
        with httpx2.Client(base_url=url_of(server)) as client:
            assert client.get("/readyz").status_code == 200
            visitor = threading.Thread(
                target=lambda: slow.append(
                    httpx2.get(f"{url_of(server)}/api/probe/sleep?ms={SLOW_MS}", timeout=30).status_code
                )
            )
            visitor.start()
            eventually(lambda: samples(client, "shop_requests_in_flight")[""] == 2.0, "both are in flight")
        balancers = [Balancer(server) for _ in range(2)]
        for one in balancers:
            one.start()
        eventually(lambda: all(one.answers for one in balancers), "both balancers were answered")
        os.kill(server.pid, signal.SIGTERM)
        seen = set()

        def ended() -> bool:
            with suppress(httpx2.TransportError):  # at the end nobody listens any more
                said = httpx2.get(f"{url_of(server)}/readyz", timeout=30)
                served = httpx2.get(f"{url_of(server)}/api/probe/ping", timeout=30)
                seen.add((said.status_code, "draining" in said.text, served.status_code))
            return not children_of(server)

        eventually(ended, "all its workers have ended")
        for thread in (visitor, *balancers):
            thread.join()

    assert {answer for one in balancers for answer in one.answers} == {200}
    assert (503, True, 200) in seen
    assert slow == [200]
