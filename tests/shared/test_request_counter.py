"""Counting requests: in one process, and in all workers of a server together."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gevent
import httpx2
import pytest

from shared.ops.count_file import request_counts
from shared.ops.telemetry import RequestCounter
from tests.support.waiting import eventually


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "requests").touch()
    return str(tmp_path / "requests")


@pytest.fixture
def memory_file() -> Iterator[str]:
    """As the harness makes it: a file without a name, reached through its owner."""
    descriptor = os.memfd_create("requests")
    yield f"/proc/{os.getpid()}/fd/{descriptor}"
    os.close(descriptor)


def count_many(counter: RequestCounter) -> None:
    for _ in range(1000):
        counter.add()


def test_a_counter_counts_for_itself() -> None:
    first, second = RequestCounter(), RequestCounter()
    count_many(first)

    assert (first.value, second.value) == (1000, 0)


def test_counters_of_one_file_count_together(file: str) -> None:
    first, second = RequestCounter(file), RequestCounter(file)
    first.add()
    second.add()

    assert first.value == second.value == 2
    assert len(request_counts(file)) == 2


def test_no_request_is_lost_among_threads_and_greenlets(file: str) -> None:
    counter = RequestCounter(file)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count_many, [counter] * 4))
    gevent.joinall([gevent.spawn(count_many, counter) for _ in range(4)])

    assert counter.value == 8000


COUNT_AND_FORK = """
import os, sys
from shared.ops.telemetry import RequestCounter
counter = RequestCounter(sys.argv[1])
child = os.fork()
for _ in range(1000):
    counter.add()
if child and os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
    sys.exit("the child failed")
"""


def test_no_request_is_lost_among_processes_spawned_or_forked(memory_file: str) -> None:
    counter = RequestCounter(memory_file)
    argv = [sys.executable, "-c", COUNT_AND_FORK, memory_file]
    workers = [subprocess.Popen(argv) for _ in range(2)]
    count_many(counter)

    assert [worker.wait(30) for worker in workers] == [0, 0]
    assert counter.value == 5000
    assert len(request_counts(memory_file)) == 5


def test_what_a_worker_counted_outlives_it(file: str) -> None:
    counter = RequestCounter(file)
    RequestCounter(file).add()

    assert counter.value == 1


def test_a_file_that_is_not_there_is_an_error_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        RequestCounter(str(tmp_path / "nothing"))


@pytest.mark.parametrize("name", ["flask-gthread-2w", "fastapi-uvicorn-2w"])
def test_all_workers_of_a_server_count_together(name: str, url_of: Callable[[str], str]) -> None:
    url = f"{url_of(name)}/api/probe/requests"
    before = httpx2.get(url).json()["requests"]
    pids: list[int] = []
    with ThreadPoolExecutor(16) as pool:

        def both_answered() -> bool:
            answers = list(pool.map(httpx2.get, [url] * 16))  # each on a connection of its own
            pids.extend(answer.json()["pid"] for answer in answers)
            return len(set(pids)) == 2

        eventually(both_answered, "two workers have answered")

    assert httpx2.get(url).json()["requests"] == before + len(pids) + 1
