import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest

from loadtests.config.contestants import Contestant, load_contestants
from loadtests.errors import ServerError
from loadtests.machine.servers import launched
from tests.support.waiting import eventually

CATALOG = Path(__file__).parents[2] / "loadtests" / "catalog"
KNOWN = load_contestants(CATALOG)
FLOORS = {name: one for name, one in KNOWN.items() if one.framework == "raw"}
BARE = {name: KNOWN[name] for name in ("fastapi-uvicorn-pure", "fastapi-gunicorn")}
for name, one in BARE.items():  # servers without a floor in the catalog get one here
    BARE[name] = replace(one, command=(*one.command[:-1], "loadtests.reference.bare_asgi:app"))
ANY_CPU: tuple[int, ...] = ()


def script(name: str, code: str) -> Contestant:
    """A contestant that runs a Python script, given its port as the first argument."""
    return replace(FLOORS["raw-asgi-uvicorn"], name=name, command=("{python}", "-c", code, "{port}"))


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def is_listening(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_every_kind_of_server_keeps_connections_alive_and_leaves_nothing() -> None:
    cpu = min(os.sched_getaffinity(0))
    twin = replace(FLOORS["raw-asgi-uvicorn"], name="raw-asgi-uvicorn#2")
    servers = [*FLOORS.values(), *BARE.values(), twin]

    with launched(servers, {}, [cpu]) as endpoints:
        families = {name: family(one.pid) for name, one in endpoints.items()}
        for one in endpoints.values():
            assert ports_of_two_pings(one.port) == 1
            assert os.sched_getaffinity(one.pid) == {cpu}
            assert 0 < one.start_s < 30

    assert list(endpoints) == [one.name for one in servers]
    assert len({one.port for one in endpoints.values()}) == 8
    assert {name: len(pids) for name, pids in families.items()} == {
        one.name: 1 if "uvicorn" in one.name else 2 for one in servers
    }
    eventually(
        lambda: not any(is_running(pid) for pids in families.values() for pid in pids), "all have ended"
    )
    assert not any(is_listening(one.port) for one in endpoints.values())


def ports_of_two_pings(port: int) -> int:
    """From how many ports of ours two pings in a row were sent: one, if the server keeps the connection."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    ours = set()
    for _ in range(2):
        client.request("GET", "/api/probe/ping")
        ours.add(client.sock.getsockname())
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (200, b'{"message":"pong"}')
        assert answer.headers["Content-Type"] == "application/json"
    client.close()
    return len(ours)


def family(pid: int) -> list[int]:
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]


def test_each_gets_its_own_environment() -> None:
    server = (
        "import http.server, os, sys\n"
        "class Handler(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200); self.end_headers(); self.wfile.write(os.environ['SERVER_NAME'].encode())\n"
        "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()"
    )
    environments = {name: {"SERVER_NAME": name} for name in ("one", "two")}

    with launched([script("one", server), script("two", server)], environments, ANY_CPU) as endpoints:
        said = {
            name: urllib.request.urlopen(f"http://{one.host}:{one.port}/").read().decode()
            for name, one in endpoints.items()
        }

    assert said == {"one": "one", "two": "two"}


def test_a_server_that_ends_early_is_told_at_once_with_its_last_words() -> None:
    broken = script("broken", "raise SystemExit('no database here')")

    with pytest.raises(ServerError, match=r"broken ended with status 1 .* no database here"):
        enter([broken])


def enter(contestants: list[Contestant], **options: float) -> None:
    with launched(contestants, {}, ANY_CPU, ready_s=options.get("ready_s", 30.0)):
        pytest.fail("it is ready though it cannot be")


def test_a_server_that_never_answers_is_given_up() -> None:
    command = ("sh", "-c", "echo dreaming; exec sleep 60")  # says so at once, however busy the machine is
    asleep = replace(FLOORS["raw-asgi-uvicorn"], name="asleep", command=command)

    with pytest.raises(ServerError, match=r"asleep gave no answer within 0\.5 s; it said: dreaming"):
        enter([asleep], ready_s=0.5)


def test_an_answer_of_another_program_on_its_port_makes_no_server_ready(
    unused_port: int, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    late = script("late", f"import pathlib, time; pathlib.Path({str(begun)!r}).touch(); time.sleep(60)")

    def take_its_port() -> None:
        eventually(begun.exists, "the server was started")
        with HTTPServer(("127.0.0.1", unused_port), Healthy) as other:
            other.timeout = 0.1
            while not given_up.is_set():
                other.handle_request()

    given_up = threading.Event()
    thread = threading.Thread(target=take_its_port)
    thread.start()
    try:
        with (
            pytest.raises(ServerError, match="late gave no answer within 2"),
            launched([late], {}, ANY_CPU, ports={"late": unused_port}, ready_s=2),
        ):
            pytest.fail("it is ready though it does not listen")
    finally:
        given_up.set()
        thread.join()
    assert Healthy.asked


class Healthy(BaseHTTPRequestHandler):
    """Answers 200 to everything."""

    asked = False

    def do_GET(self) -> None:
        Healthy.asked = True
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_one_failure_stops_the_others() -> None:
    children_before = set(psutil.Process().children())

    with pytest.raises(ServerError, match="broken"):
        enter([FLOORS["raw-wsgi-gthread"], script("broken", "raise SystemExit(3)")])

    assert set(psutil.Process().children()) == children_before


def test_a_taken_port_is_told_before_anything_is_started() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(ServerError, match=f"port {port} cannot be used"),
            launched([FLOORS["raw-asgi-uvicorn"]], {}, ANY_CPU, ports={"raw-asgi-uvicorn": port}),
        ):
            pytest.fail("it is ready on a port that is taken")


def test_a_given_port_is_used() -> None:
    with socket.create_server(("127.0.0.1", 0)) as picked:
        port = picked.getsockname()[1]

    with launched([FLOORS["raw-asgi-uvicorn"]], {}, ANY_CPU, ports={"raw-asgi-uvicorn": port}) as endpoints:
        assert endpoints["raw-asgi-uvicorn"].port == port
        assert is_listening(port)


def test_a_server_that_ignores_the_polite_signal_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtests.machine.processes.STOP_S", 0.2)
    stubborn = script(
        "stubborn",
        "import http.server, signal, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "class Handler(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self): self.send_response(200); self.end_headers()\n"
        "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()",
    )

    with launched([stubborn], {}, ANY_CPU) as endpoints:
        pid = endpoints["stubborn"].pid

    assert not is_running(pid)


def test_a_server_that_ends_while_it_is_used_is_told_on_leaving() -> None:
    quitter = script("quitter", QUITTER)

    with pytest.raises(ServerError, match=r"quitter ended with status 3 while it was in use; .* farewell"):
        visit(quitter)


QUITTER = (
    "import http.server, os, sys\n"
    "class Handler(http.server.BaseHTTPRequestHandler):\n"
    "    def do_GET(self):\n"
    "        self.send_response(200); self.end_headers()\n"
    "        if self.path == '/quit': print('farewell', flush=True); os._exit(3)\n"
    "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()"
)


def visit(contestant: Contestant) -> None:
    with launched([contestant], {}, ANY_CPU) as endpoints:
        one = endpoints[contestant.name]
        urllib.request.urlopen(f"http://{one.host}:{one.port}/quit").close()
        eventually(lambda: not is_running(one.pid), "it has ended")


def test_a_server_that_lost_its_worker_is_told_on_leaving_with_its_last_words() -> None:
    with pytest.raises(ServerError, match=r"raw-wsgi-gthread lost one of its processes .* SIGKILL"):
        kill_worker(FLOORS["raw-wsgi-gthread"])


def kill_worker(contestant: Contestant) -> None:
    with launched([contestant], {}, ANY_CPU) as endpoints:
        master = psutil.Process(endpoints[contestant.name].pid)
        (worker,) = master.children()
        worker.kill()
        worker.wait(10)
        eventually(
            lambda: len(master.children()) == 1,
            "one worker is left, and it has said what became of the other",
        )


def test_what_goes_wrong_in_the_block_is_not_hidden_by_a_server_that_ended() -> None:
    with pytest.raises(KeyboardInterrupt):
        kill_and_interrupt(FLOORS["raw-asgi-uvicorn"])


def kill_and_interrupt(contestant: Contestant) -> None:
    with launched([contestant], {}, ANY_CPU) as endpoints:
        os.kill(endpoints[contestant.name].pid, signal.SIGKILL)
        raise KeyboardInterrupt


ORCHESTRATOR = """
import sys, time
from dataclasses import replace
from pathlib import Path
from loadtests.config.contestants import load_contestants
from loadtests.machine.servers import launched
floors = [one for one in load_contestants(Path(sys.argv[1])).values() if one.framework == "raw"]
uvicorn = next(one for one in floors if one.name == "raw-asgi-uvicorn")
two_workers = ("{python}", "-m", "uvicorn", "--port", "{port}", "--workers", "2", "loadtests.reference.bare_asgi:app")
with launched([*floors, replace(uvicorn, name="two-workers", command=two_workers)], {}, ()) as endpoints:
    print(*(one.pid for one in endpoints.values()), flush=True)
    time.sleep(60)
"""


def test_killing_the_orchestrator_leaves_no_orphan(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", ORCHESTRATOR, str(CATALOG)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment) as orchestrator:
        assert orchestrator.stdout
        leaders = [int(pid) for pid in orchestrator.stdout.readline().split()]
        pids = [pid for leader in leaders for pid in family(leader)]
        orchestrator.send_signal(signal.SIGKILL)

    assert len(pids) >= 12  # uvicorn's workers would outlive their master
    eventually(lambda: not any(map(is_running, pids)), "all have ended")
