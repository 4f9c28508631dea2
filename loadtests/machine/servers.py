"""Start servers, wait until they answer, and leave nothing behind."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from loadtests.config.contestants import Contestant
from loadtests.errors import ServerError
from loadtests.machine.launch import group_killer_argv, how_ended, launch_argv
from loadtests.machine.meters import ProcessTree, pin
from shared.ops.telemetry import counting_workers

HOST = "127.0.0.1"
READY_S, WORKER_S = 30.0, 5.0  # how long a launch may take, and how much longer for every further worker
STOP_S = 5.0
POLL_S = 0.01
TAIL_LINES = 4
COUNT_VARIABLE = "REQUEST_COUNT_FILE"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server that answers; `start_s` is the time from its launch to its first answer, `log` the file it writes to."""

    name: str
    host: str
    port: int
    pid: int
    argv: tuple[str, ...]
    keep_alive: bool
    start_s: float
    log: str = ""


@dataclass(frozen=True, slots=True)
class _Server:
    """A server that was launched, in a process group of its own."""

    contestant: Contestant
    port: int
    argv: tuple[str, ...]
    process: subprocess.Popen[bytes]
    stderr: Path
    count_file: str
    launched_s: float


def cpu_sets(available: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The CPUs of the servers and those of the load: halves that do not meet, or both empty on a single CPU."""
    cpus = tuple(sorted(available))
    if len(cpus) < 2:
        return (), ()
    half = len(cpus) // 2
    return cpus[:half], cpus[half:]


@contextmanager
def launched(
    contestants: Sequence[Contestant],
    environments: Mapping[str, Mapping[str, str]],
    cpus: Sequence[int],
    *,
    ports: Mapping[str, int] | None = None,
    ready_s: float | None = None,
) -> Iterator[dict[str, Endpoint]]:
    """Have all of them running, pinned to the CPUs, from the first answer of the last until the block is left.

    They start up on all CPUs, which is sooner done, and are pinned when all of them answer, with all their workers.

    environments: extra variables by name. ports: those that are not to be picked. ready_s: how long they may take;
    None: as long as suits their number. Names must differ; a twin is the same contestant under a second name. Raises
    ServerError when a port is taken, or one of them ends or does not answer GET /healthz with 200 in time; also on
    leaving the block, unless it was left by an exception, when one of them has ended or lost a process that it had when
    all answered. Whatever was started is stopped.
    """
    chosen = free_ports([contestant.name for contestant in contestants], ports or {})
    with (
        tempfile.TemporaryDirectory(prefix="sidebyside-") as folder,
        ExitStack() as counts,
        _undertaker() as bury,
    ):
        servers: list[_Server] = []
        try:
            for number, one in enumerate(contestants):
                stderr = Path(folder) / f"{number}.stderr"
                environment = environments.get(one.name, {})
                count_file = counts.enter_context(_count_file())
                servers.append(_start(one, environment, chosen[one.name], stderr, count_file))
                bury(servers[-1].process.pid)
            endpoints = _await_ready(servers, ready_s or _usual_s(contestants))
            for endpoint in endpoints.values() if cpus else ():
                pin(endpoint.pid, cpus)
            trees = [ProcessTree(server.process.pid) for server in servers]
            yield endpoints
            _check_alive(servers, trees)
        finally:
            _stop(servers)


def free_ports(names: Sequence[str], given: Mapping[str, int]) -> dict[str, int]:
    """A port for each name, those given or free ones; ServerError when a given one is taken.

    All are held at once while they are picked, so that no two are the same.
    """
    with ExitStack() as held:
        sockets = [held.enter_context(_hold(given.get(name, 0))) for name in names]
        return {name: one.getsockname()[1] for name, one in zip(names, sockets, strict=True)}


def _hold(port: int) -> socket.socket:
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind((HOST, port))
    except OSError as error:
        held.close()
        raise ServerError(f"port {port} cannot be used ({error.strerror}); choose another") from error
    return held


@contextmanager
def _count_file() -> Iterator[str]:
    """The path of a file in memory in which the workers of one server count together; gone with this process."""
    descriptor = os.memfd_create("requests")
    try:
        yield f"/proc/{os.getpid()}/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _start(
    contestant: Contestant, environment: Mapping[str, str], port: int, stderr: Path, count_file: str
) -> _Server:
    values = {
        "{python}": sys.executable,
        "{port}": str(port),
        "{workers}": str(contestant.workers),
        "{shm}": _shared_memory_folder(),
    }
    argv = tuple(_fill(word, values) for word in contestant.command)
    with stderr.open("wb") as log:
        process = subprocess.Popen(
            launch_argv(argv, ()),
            env={**os.environ, COUNT_VARIABLE: count_file, **contestant.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return _Server(contestant, port, argv, process, stderr, count_file, time.monotonic())


def _fill(word: str, values: Mapping[str, str]) -> str:
    for field, value in values.items():
        word = word.replace(field, value)
    return word


def _shared_memory_folder() -> str:
    """Where gunicorn touches its heartbeat file: a disk would make its workers wait."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()  # noqa: S108


def _await_ready(servers: Sequence[_Server], ready_s: float) -> dict[str, Endpoint]:
    deadline_s = time.monotonic() + ready_s
    endpoints: dict[str, Endpoint] = {}
    while pending := [server for server in servers if server.contestant.name not in endpoints]:
        for server in pending:
            if server.process.poll() is not None:
                raise _failed(server, f"{how_ended(server.process.returncode)} before it answered")
            if _answers(server.port) and _is_complete(server):
                endpoints[server.contestant.name] = _endpoint(server)
            elif time.monotonic() > deadline_s:
                raise _failed(server, f"gave no answer within {ready_s:g} s")
        time.sleep(POLL_S)
    return {server.contestant.name: endpoints[server.contestant.name] for server in servers}


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=0.5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _usual_s(contestants: Sequence[Contestant]) -> float:
    """How long to wait for all of them: the more start at once, the slower is each."""
    return READY_S + WORKER_S * (sum(one.workers for one in contestants) - 1)


def _is_complete(server: _Server) -> bool:
    """Whether all workers have joined the count; a server that doesn't count so is taken as it is."""
    counting = counting_workers(server.count_file)
    return counting == 0 or counting >= server.contestant.workers


def _endpoint(server: _Server) -> Endpoint:
    one = server.contestant
    start_s = time.monotonic() - server.launched_s
    return Endpoint(
        one.name,
        HOST,
        server.port,
        server.process.pid,
        server.argv,
        one.keep_alive,
        start_s,
        str(server.stderr),
    )


def _check_alive(servers: Sequence[_Server], trees: Sequence[ProcessTree]) -> None:
    """Raises ServerError for the first whose process, or one of whose tree, has ended."""
    for server, tree in zip(servers, trees, strict=True):
        if server.process.poll() is not None:
            raise _failed(server, f"{how_ended(server.process.returncode)} while it was in use")
        if tree.cpu_ns() is None:
            raise _failed(server, "lost one of its processes while it was in use")


def _failed(server: _Server, what: str) -> ServerError:
    lines = server.stderr.read_text(encoding="utf-8", errors="replace").split("\n")
    said = " | ".join([line.strip() for line in lines if line.strip()][-TAIL_LINES:])
    return ServerError(f"{server.contestant.name} {what}; it said: {said or 'nothing'}")


def _stop(servers: Sequence[_Server]) -> None:
    """End all of them: asked first, killed after STOP_S or when interrupted, with everything they started."""
    try:
        for server in servers:
            _signal(server, signal.SIGTERM)
        deadline_s = time.monotonic() + STOP_S
        for server in servers:
            with suppress(subprocess.TimeoutExpired):
                server.process.wait(max(0.0, deadline_s - time.monotonic()))
    finally:
        for server in servers:
            _signal(server, signal.SIGKILL)
            server.process.wait()


@contextmanager
def _undertaker() -> Iterator[Callable[[int], None]]:
    """Takes the ids of process groups that are to be killed should this process end before the block does."""
    process = subprocess.Popen(
        group_killer_argv(),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        bufsize=0,
    )

    def bury(group: int) -> None:
        with suppress(BrokenPipeError):
            process.stdin.write(f"{group}\n".encode())  # type: ignore[union-attr]

    with process:
        try:
            yield bury
        finally:
            process.kill()


def _signal(server: _Server, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(server.process.pid, number)
