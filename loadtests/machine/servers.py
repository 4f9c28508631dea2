"""Start servers, wait until they answer, and leave nothing behind."""

import http.client
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from loadtests.config.contestants import Contestant
from loadtests.errors import ServerError
from loadtests.machine.cpus import pin
from loadtests.machine.garbage import OBSERVER
from loadtests.machine.meters import ProcessTree, tree_pids
from loadtests.machine.ports import HOST, free_ports, listeners
from loadtests.machine.processes import (
    READY_S,
    STOP_S,
    Child,
    Program,
    await_ready,
    end,
    groups_killed_at_exit,
    start,
)
from shared.ops.count_file import request_counts

WORKER_S = 5.0  # how much longer a launch may take for every further worker
COUNT_VARIABLE = "REQUEST_COUNT_FILE"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server that answers.

    start_s: the time from its launch to its first answer. log: the file it writes to. count_file: where its processes
    count their requests and garbage collections (shared/ops/count_file.py).
    """

    name: str
    host: str
    port: int
    pid: int
    argv: tuple[str, ...]
    keep_alive: bool
    start_s: float
    log: str = ""
    count_file: str = ""


@contextmanager
def launched(
    contestants: Sequence[Contestant],
    environments: Mapping[str, Mapping[str, str]],
    cpus: Sequence[int],
    *,
    ports: Mapping[str, int] | None = None,
    ready_s: float | None = None,
    stop_s: float = STOP_S,
) -> Iterator[dict[str, Endpoint]]:
    """Have all of them running, pinned to the CPUs, from when all of them answer until the block is left.

    They start on all CPUs, which is faster, and are pinned once all of them answer, with all their workers.

    environments: extra variables by name. ports: those that are not to be picked. ready_s: how long they may take;
    None: as long as suits their number. stop_s: how long they may take to end before they are killed. Names must
    differ; a twin is the same contestant under a second name. Raises ServerError when a port is taken, or one of them
    ends or does not answer GET /healthz with 200 in time; also on leaving the block, unless it was left by an
    exception, when one of them has ended or lost a process that it had when all answered. Whatever was started is
    stopped.
    """
    chosen = free_ports([one.name for one in contestants], ports or {})
    with tempfile.TemporaryDirectory(prefix="sidebyside-") as folder, _started(folder, stop_s) as start_one:
        checks: dict[Child, Callable[[], bool]] = {}
        count_files: dict[Child, str] = {}
        for one in contestants:
            child, count_file = start_one(one, chosen[one.name], environments.get(one.name, {}))
            count_files[child] = count_file
            checks[child] = partial(_is_ready, child, chosen[one.name], one.workers, count_file)
        ready = await_ready(checks, ready_s or _usual_s(contestants))
        for child in checks if cpus else ():
            pin(child.pid, cpus)
        trees = {child: ProcessTree(child.pid) for child in checks}
        yield {
            one.name: _endpoint(one, chosen[one.name], child, ready[child], count_files[child])
            for one, child in zip(contestants, checks, strict=True)
        }
        _check_alive(trees)


StartOne = Callable[[Contestant, int, Mapping[str, str]], tuple[Child, str]]


@contextmanager
def _started(folder: str, stop_s: float) -> Iterator[StartOne]:
    """Starts servers, each with a count file of its own; all of them are ended with the block."""
    children: list[Child] = []
    with ExitStack() as counts, groups_killed_at_exit() as kill_at_exit:

        def start_one(contestant: Contestant, port: int, environment: Mapping[str, str]) -> tuple[Child, str]:
            count_file = counts.enter_context(_count_file())
            variables = {COUNT_VARIABLE: count_file, **contestant.environment, **environment}
            program = Program(contestant.name, _argv(contestant, port), variables=_observed(variables))
            children.append(start(program, Path(folder, f"{len(children)}.stderr")))
            kill_at_exit(children[-1])
            return children[-1], count_file

        try:
            yield start_one
        finally:
            end(children, stop_s)


@contextmanager
def _count_file() -> Iterator[str]:
    """The path of a file in memory in which the workers of one server count together; gone with this process."""
    descriptor = os.memfd_create("requests")
    try:
        yield f"/proc/{os.getpid()}/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _observed(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables with the observer in front of the Python path that they, or this process's own, have."""
    path = variables.get("PYTHONPATH", os.environ.get("PYTHONPATH"))
    return {**variables, "PYTHONPATH": os.pathsep.join(filter(None, (str(OBSERVER), path)))}


def _argv(contestant: Contestant, port: int) -> tuple[str, ...]:
    """The contestant's command with its fields filled in."""
    values = {
        "{python}": sys.executable,
        "{port}": str(port),
        "{workers}": str(contestant.workers),
        "{shm}": _shared_memory_folder(),
    }
    return tuple(_fill(word, values) for word in contestant.command)


def _fill(word: str, values: Mapping[str, str]) -> str:
    for field, value in values.items():
        word = word.replace(field, value)
    return word


def _shared_memory_folder() -> str:
    """Where gunicorn touches its heartbeat file: a disk would make its workers wait."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()  # noqa: S108


def _is_ready(child: Child, port: int, workers: int, count_file: str) -> bool:
    """Whether a server answers and all its workers have joined the count; some servers keep no count.

    The port was free when it was picked. Another program that took it since may answer too, but does not count.
    """
    return (
        _answers(port)
        and not 0 < len(request_counts(count_file)) < workers
        and {*listeners(port)} <= {*tree_pids(child.pid)}
    )


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
    """How long to wait for all of them: the more start at once, the slower each is."""
    return READY_S + WORKER_S * (sum(one.workers for one in contestants) - 1)


def _endpoint(contestant: Contestant, port: int, child: Child, start_s: float, count_file: str) -> Endpoint:
    argv, log, keep_alive = child.program.argv, str(child.log), contestant.keep_alive
    return Endpoint(contestant.name, HOST, port, child.pid, argv, keep_alive, start_s, log, count_file)


def _check_alive(trees: Mapping[Child, ProcessTree]) -> None:
    """Raises ServerError for the first that has ended, or one of whose processes has."""
    for child, tree in trees.items():
        if child.has_ended():
            raise ServerError(child.report(f"{child.how_ended()} while it was in use"))
        if tree.cpu_ns() is None:
            raise ServerError(child.report("lost one of its processes while it was in use"))
