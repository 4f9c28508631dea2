"""Tunings: what SHOP_TUNINGS asks for is done in every process that serves."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from loadtests.config.contestants import load_contestants
from loadtests.machine.servers import Endpoint, launched
from loadtests.machine.services import Services
from tests.conftest import CATALOG
from tests.support.shop import JWT_SECRET
from tests.support.waiting import eventually

# The app, and at one more path which worker answers and how many objects it keeps out of garbage collections.
PROBES = {
    "flask": """
import gc, os
from flask_app.main import app as shop

def app(environ, start_response):
    if environ["PATH_INFO"] != "/frozen":
        return shop(environ, start_response)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {gc.get_freeze_count()}".encode()]
""",
    "fastapi": """
import gc, os
from fastapi_app.main import app as shop

async def app(scope, receive, send):
    if scope.get("path") != "/frozen":
        return await shop(scope, receive, send)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"{os.getpid()} {gc.get_freeze_count()}".encode()})
""",
}


def frozen_by_worker(server: Endpoint) -> dict[int, int]:
    """How many objects each of two workers has frozen, by its process id."""
    found: dict[int, int] = {}

    def both_answered() -> bool:
        pid, frozen = httpx2.get(f"http://{server.host}:{server.port}/frozen").text.split()
        found[int(pid)] = int(frozen)
        return len(found) == 2

    eventually(both_answered, "both workers have answered")
    return found


@pytest.mark.parametrize(
    ("name", "tunings", "frozen"),
    [
        ("flask-gthread", "", False),
        ("flask-gthread", "frozen", True),
        ("flask-gevent", "frozen", True),
        ("fastapi-uvicorn", "", False),
        ("fastapi-uvicorn", "frozen", True),
    ],
)
def test_what_lives_as_long_as_a_worker_is_frozen_in_each_if_that_is_asked_for(
    running_services: Services,
    new_database: Callable[[], str],
    tmp_path: Path,
    name: str,
    tunings: str,
    frozen: bool,
) -> None:
    contestant = load_contestants(CATALOG)[name]
    (tmp_path / "probe.py").write_text(PROBES[str(contestant.framework)])
    words = contestant.command
    one_word_later = ("", *words)
    command = [
        "2" if before == "--workers" else word for before, word in zip(one_word_later, words, strict=False)
    ]
    environment = {
        "DATABASE_URL": new_database(),
        "REDIS_URL": running_services.redis_url,
        "JWT_SECRET": JWT_SECRET,
        "SHOP_TUNINGS": tunings,
        "PYTHONPATH": str(tmp_path),
    }
    two_workers = replace(contestant, command=(*command[:-1], "probe:app"), workers=2)
    with launched([two_workers], {name: environment}, cpus=()) as endpoints:
        counts = frozen_by_worker(endpoints[name])
    assert [count > 10_000 for count in counts.values()] == [frozen, frozen]
