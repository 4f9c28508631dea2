"""Start, await, tail and end the processes that the harness runs.

Each has a process group of its own and a log file, and ends with this process, however that ends (see launch.py).
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from loadtests.errors import ServerError
from loadtests.machine.launch import group_killer_argv, launch_argv

READY_S = 30.0
STOP_S = 5.0
POLL_S = 0.01
TAIL_LINES = 4


@dataclass(frozen=True, slots=True)
class Program:
    """What to start. `name` is how messages call it.

    variables: added to this process's own. user: None for this process's own. prints: whether its standard output is
    read from the process, line by line; else it joins the log. stop: the signal that ends it. if_orphaned: the signal
    that it gets when this process is gone.
    """

    name: str
    argv: tuple[str, ...]
    cpus: tuple[int, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    folder: str | None = None
    prints: bool = False
    stop: signal.Signals = signal.SIGTERM
    if_orphaned: signal.Signals = signal.SIGKILL


@dataclass(frozen=True, slots=True, eq=False)
class Child:
    """A program that was started, and the file that takes what it writes."""

    program: Program
    process: "subprocess.Popen[str]"
    log: Path
    started_s: float

    @property
    def pid(self) -> int:
        """Its process id, and its group's."""
        return self.process.pid

    def has_ended(self) -> bool:
        """Whether the process itself has ended; others of its group may go on."""
        return self.process.poll() is not None

    def how_ended(self) -> str:
        """How the process ended, to follow its name in a message."""
        status = self.process.wait()
        return (
            f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        )

    def report(self, what: str) -> str:
        """One line: its name, what became of it, and the last lines of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
        last = " | ".join([line.strip() for line in lines if line.strip()][-TAIL_LINES:])
        return f"{self.program.name} {what}; it said: {last or 'nothing'}"

    def has_written(self) -> bool:
        """Whether a whole line is in its log."""
        return self.log.read_bytes().endswith(b"\n")

    def send(self, number: signal.Signals) -> None:
        """Send a signal to its whole group, if anything is left of it."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)


@contextmanager
def running(program: Program) -> Iterator[Child]:
    """A program that is started with the block and ended with it; its log is gone afterwards."""
    with TemporaryDirectory(prefix="sidebyside-") as folder:
        child = start(program, Path(folder, "log"))
        try:
            yield child
        finally:
            end([child])


def start(program: Program, log: Path) -> Child:
    """Start a program that the caller ends; its standard error, and with `prints` that alone, goes to the log."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            launch_argv(program.argv, program.cpus, if_orphaned=program.if_orphaned, user=program.user),
            env={**os.environ, **program.variables},
            cwd=program.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program.prints else file,
            stderr=file,
            text=True,
            start_new_session=True,
        )
    return Child(program, process, log, time.monotonic())


def await_ready(checks: Mapping[Child, Callable[[], bool]], within_s: float = READY_S) -> dict[Child, float]:
    """Wait until all checks have held, each once; gives the seconds from each child's start.

    Raises ServerError as soon as one of them has ended, or when one is not ready in time.
    """
    deadline_s = time.monotonic() + within_s
    ready_s: dict[Child, float] = {}
    while pending := checks.keys() - ready_s.keys():
        for child in pending:
            if child.has_ended():
                raise ServerError(child.report(f"{child.how_ended()} before it answered"))
            if checks[child]():
                ready_s[child] = time.monotonic() - child.started_s
            elif time.monotonic() > deadline_s:
                raise ServerError(child.report(f"gave no answer within {within_s:g} s"))
        time.sleep(POLL_S)
    return ready_s


def end(children: Sequence[Child], within_s: float = STOP_S) -> None:
    """Send all of them their stop signal; after that time, or when interrupted, kill them and all that they started."""
    try:
        for child in children:
            child.send(child.program.stop)
        deadline_s = time.monotonic() + within_s
        for child in children:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline_s - time.monotonic()))
    finally:
        for child in children:
            child.send(signal.SIGKILL)
            child.process.wait()
            if child.process.stdout:
                child.process.stdout.close()


@contextmanager
def groups_killed_at_exit() -> Iterator[Callable[[Child], None]]:
    """Takes children whose whole groups are killed should this process be killed before the block ends."""
    process = subprocess.Popen(
        group_killer_argv(),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        bufsize=0,
    )

    def add(child: Child) -> None:
        with suppress(BrokenPipeError):
            process.stdin.write(f"{child.pid}\n".encode())  # type: ignore[union-attr]

    with process:
        try:
            yield add
        finally:
            process.kill()


def output_of(argv: Sequence[str], cpus: Sequence[int], within_s: float = 60.0) -> str:
    """What a program prints until it ends by itself; raises subprocess.SubprocessError when it fails or hangs."""
    ended = subprocess.run(
        launch_argv(argv, cpus), capture_output=True, text=True, check=True, timeout=within_s
    )
    return ended.stdout


@contextmanager
def followed(log: str, pid: int, to: IO[str]) -> Iterator[None]:
    """What the process has written to its log, and what it goes on to write, is copied while the block lasts."""
    follow = ["tail", "--lines=+1", "--follow", f"--pid={pid}", log]
    with subprocess.Popen(follow, stdout=to) as tail:
        try:
            yield
        finally:
            tail.terminate()


def await_end(pid: int) -> None:
    """Wait until a child process has ended, and leave its exit status to be read."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
