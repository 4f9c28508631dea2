"""The command line as its users meet it: bad input, servers, stopping."""

import shutil
import signal
import socket
from pathlib import Path

import httpx2
import pytest

from loadtests.config.selection import CATALOG
from shared.shop.seeded import ADMIN, PASSWORD
from tests.support.command import descendants, run, run_here, started, survivors


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("bench", "--contestant", "flask-nope"), "there is no contestant 'flask-nope'"),
        (("bench", "--scenario", "nope"), "there is no scenario 'nope'"),
        (("bench", "--profile", "nope"), "there is no profile 'nope'"),
        (("bench", "--budget", "soon"), "a duration looks like 90s, 5m or 1h"),
        (("bench", "--config", "nowhere.toml"), "nowhere.toml: cannot be read"),
        (("bench", "--resume", "nowhere"), "nowhere: holds no run"),
        (("serve", "flask-nope"), "there is no contestant 'flask-nope'"),
        (("report", "nowhere"), "nowhere: holds no run"),
        (("compare", "nowhere", "elsewhere"), "nowhere"),
        (("check", "http://127.0.0.1:9", "http://127.0.0.1:9"), "127.0.0.1:9"),
    ],
)
def test_bad_input_is_one_line_that_helps_and_exit_2(arguments: tuple[str, ...], told: str) -> None:
    ended = run_here(*arguments)

    assert ended.returncode == 2
    assert told in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stdout == ""


def test_an_unreachable_database_is_one_line_and_nothing_is_started(tmp_path: Path) -> None:
    unreachable = {"DATABASE_URL": "postgresql://127.0.0.1:1/shop"}

    ended = run("bench", "--budget", "20s", "--results-dir", str(tmp_path), environment=unreachable)

    assert ended.returncode == 2
    assert ended.stderr.startswith("sidebyside: DATABASE_URL can't be used")
    assert len(ended.stderr.splitlines()) == 1


def test_a_results_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    blocked = tmp_path / "results"
    blocked.write_text("a file is in the way")

    ended = run("bench", "--results-dir", str(blocked))

    assert ended.returncode == 2
    assert "nothing can be written there" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("serve", "raw-asgi-uvicorn", "--port", str(port))

    assert ended.returncode == 2
    assert f"port {port} cannot be used" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_catalog_of_ones_own_is_listed(tmp_path: Path) -> None:
    own = shutil.copytree(CATALOG, tmp_path / "own")
    (own / "scenarios.toml").write_text(
        (own / "scenarios.toml").read_text().replace('title = "Ping"', 'title = "Mine"')
    )

    assert "Mine: What does the framework cost" in run_here("list", "--catalog", str(own)).stdout


def test_a_seed_of_zero_on_the_command_line_goes_before_the_config(tmp_path: Path) -> None:
    (tmp_path / "sidebyside.toml").write_text("[bench]\nseed = -7\n")
    arguments = ("bench", "--config", str(tmp_path / "sidebyside.toml"), "--scenario", "nope")

    assert "a seed must be a whole number of at least 0, not -7" in run_here(*arguments).stderr
    assert "there is no scenario 'nope'" in run_here(*arguments, "--seed", "0").stderr
    assert (
        "--resume continues the run with its own plan"
        in run_here("bench", "--resume", "nowhere", "--seed", "0").stderr
    )


def test_list_names_what_can_be_run() -> None:
    ended = run("list")

    assert ended.returncode == 0
    for name in ("flask-gthread", "fastapi-uvicorn", "order-create", "sleep-50ms", "thorough"):
        assert name in ended.stdout


@pytest.mark.parametrize(
    ("contestant", "path", "number", "least"),
    [
        (
            "fastapi-uvicorn",
            "/api/items/1",
            signal.SIGTERM,
            5,
        ),  # and PostgreSQL, Redis, the partner, a worker
        ("fastapi-uvicorn", "/api/items/1", signal.SIGKILL, 5),
        ("raw-asgi-uvicorn", "/api/probe/ping", signal.SIGINT, 1),
    ],
)
def test_serve_answers_until_it_is_stopped_and_leaves_nothing(
    contestant: str, path: str, number: signal.Signals, least: int
) -> None:
    with started("serve", contestant) as process:
        assert process.stdout is not None
        word, url = process.stdout.readline().split()
        answer = httpx2.get(f"{url}{path}")
        begun = descendants(process)
        process.send_signal(number)
        rest, told = process.communicate(timeout=60)

    assert (word, answer.status_code, rest) == ("ready", 200, "")
    if contestant == "fastapi-uvicorn":
        for link in ("/docs", "/redoc", "/", "/items", "/live"):
            assert f" {url}{link}" in told
        assert f"{ADMIN} with the password {PASSWORD}" in told
    assert process.returncode == (-number if number is signal.SIGKILL else 0)
    assert len(begun) >= least
    assert survivors(begun) == []
