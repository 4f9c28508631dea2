"""Celery's worker beside a server: started with it, ended with it."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import redis

from loadtests.errors import ServerError
from loadtests.machine.launch import how_ended, launch_argv
from shared.ops import tasks
from shared.ops.settings import Settings, settings_from

READY_S = 30.0
STOP_S = 5.0
POLL_S = 0.02
TAIL_LINES = 4
# One task at a time, in the worker's own process; alone, so that it has nobody to get to know first.
WORKER = (
    *("-m", "celery", "--quiet", "-A", "shared.worker", "worker", "--pool", "solo", "--concurrency", "1"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "warning"),
)


@contextmanager
def celery_worker(environment: Mapping[str, str]) -> Iterator[int]:
    """A worker for the shop that these variables describe, beside this process's own; gives its process id.

    Ready when it has done a task. Raises ServerError when it does not get that far. What it has in hand is finished
    first when the block is left, for STOP_S at most.
    """
    settings = settings_from({**os.environ, **environment})
    with tempfile.TemporaryDirectory(prefix="sidebyside-") as folder:
        said = Path(folder) / "worker.stderr"
        process = _start(environment, said)
        try:
            _await_answer(settings, process, said)
            yield process.pid
        finally:
            _stop(process)


def _start(environment: Mapping[str, str], said: Path) -> "subprocess.Popen[bytes]":
    with said.open("wb") as log:
        return subprocess.Popen(
            launch_argv([sys.executable, *WORKER], ()),
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _await_answer(settings: Settings, process: "subprocess.Popen[bytes]", said: Path) -> None:
    celery = tasks.make_celery(settings)
    task_id = tasks.hand_over(celery, tasks.PING)
    tasks.disconnect(celery)
    deadline_s = time.monotonic() + READY_S
    with redis.Redis.from_url(settings.redis_url) as client:
        while client.get(tasks.outcome_key(settings.namespace, task_id)) is None:
            if process.poll() is not None:
                raise ServerError(f"the worker {how_ended(process.returncode)}; it said: {_last_words(said)}")
            if time.monotonic() > deadline_s:
                raise ServerError(f"the worker did nothing for {READY_S:g} s; it said: {_last_words(said)}")
            time.sleep(POLL_S)


def _last_words(said: Path) -> str:
    lines = [line.strip() for line in said.read_text(encoding="utf-8", errors="replace").split("\n")]
    return " | ".join([line for line in lines if line][-TAIL_LINES:]) or "nothing"


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
    finally:
        process.kill()
        process.wait()
