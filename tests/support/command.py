"""Running the suite's own program as a user does, and looking at what it leaves behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psutil
from typer.testing import CliRunner

from loadtests.cli.frame import app

PROGRAM = (sys.executable, "-m", "loadtests")


def run(*arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The program from start to end; a test that hangs is ended after three minutes."""
    return subprocess.run(
        [*PROGRAM, *arguments],
        env={**os.environ, "COLUMNS": "200", **(environment or {})},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def run_here(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The program in this process, which spares its imports: for what ends before anything is begun."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = [signal.getsignal(number) for number in numbers]
    try:
        ended = CliRunner().invoke(app, arguments, catch_exceptions=False)
    finally:
        for number, handler in zip(numbers, handlers, strict=True):
            signal.signal(number, handler)
    return subprocess.CompletedProcess(arguments, ended.exit_code, ended.stdout, ended.stderr)


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The program in the background; it is ended with the block if it has not ended by itself."""
    process = subprocess.Popen(
        [*PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Everything that the program has started so far."""
    return psutil.Process(process.pid).children(recursive=True)


def survivors(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that are still there a little later."""
    return psutil.wait_procs(processes, timeout=60)[1]
