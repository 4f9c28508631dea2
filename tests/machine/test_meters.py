import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from loadtests.machine.meters import Metered, ProcessTree, ServiceMeter, SharedMeters, steal_ms

BURN = """
import sys, time
for line in sys.stdin:
    end = time.process_time() + float(line)
    while time.process_time() < end: pass
    print("burnt", flush=True)
"""
BURN_IN_CHILD = f"""
import subprocess, sys
with subprocess.Popen([sys.executable, "-c", {BURN!r}]) as child: pass
"""
BURN_IN_CHILDREN = f"""
import subprocess, sys
for line in sys.stdin:
    subprocess.run([sys.executable, "-c", {BURN!r}], input=line, stdout=subprocess.PIPE, text=True)
    print("burnt", flush=True)
"""


@contextmanager
def burner(code: str = BURN) -> Iterator[subprocess.Popen[str]]:
    """A process that burns as many seconds of CPU time as each line of its input says."""
    argv = [sys.executable, "-c", code]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        burn(process, 0)
        yield process


def burn(process: subprocess.Popen[str], seconds: float) -> None:
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{seconds}\n")
    process.stdin.flush()
    assert process.stdout.readline() == "burnt\n"


@pytest.mark.parametrize("code", [BURN, BURN_IN_CHILD], ids=["itself", "its child"])
def test_cpu_time_of_a_tree_is_what_it_burnt(code: str) -> None:
    with burner(code) as process:
        tree = ProcessTree(process.pid)
        before = tree.cpu_ns()
        burn(process, 0.15)
        after = tree.cpu_ns()

    assert before is not None
    assert after is not None
    assert (after - before) / 1e9 == pytest.approx(0.15, abs=0.02)


def test_an_idle_process_burns_next_to_nothing() -> None:
    with burner() as process:
        tree = ProcessTree(process.pid)
        before = tree.cpu_ns()
        burn(process, 0)
        after = tree.cpu_ns()

    assert before is not None
    assert after is not None
    assert 0 < after - before < 5_000_000


def test_all_threads_of_a_process_count() -> None:
    before, own = ProcessTree(os.getpid()).cpu_ns(), time.process_time_ns()
    sum(range(200_000))
    after, own_after = ProcessTree(os.getpid()).cpu_ns(), time.process_time_ns()

    assert before is not None
    assert after is not None
    assert after - before == pytest.approx(own_after - own, rel=0.5)


def test_a_tree_holds_the_descendants() -> None:
    with burner(BURN_IN_CHILD) as process:
        assert len(ProcessTree(process.pid).pids) == 2


def test_a_larger_process_has_a_larger_pss() -> None:
    with burner() as small, burner("ballast = b'x' * 30_000_000\n" + BURN) as large:
        smaller, larger = ProcessTree(small.pid).pss_kib(), ProcessTree(large.pid).pss_kib()

    assert smaller is not None
    assert larger is not None
    assert smaller > 1000
    assert larger - smaller == pytest.approx(30_000_000 / 1024, rel=0.1)


def test_a_process_that_is_gone_is_not_measured() -> None:
    with burner() as process:
        tree = ProcessTree(process.pid)

    assert (tree.cpu_ns(), tree.pss_kib(), tree.private_kib()) == (None, None, None)


def test_a_process_that_has_ended_but_is_not_reaped_is_not_measured() -> None:
    with burner() as process:
        tree = ProcessTree(process.pid)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

        assert (tree.cpu_ns(), tree.pss_kib(), tree.private_kib()) == (None, None, None)


def test_a_second_process_of_the_same_program_changes_no_private_memory_but_the_pss() -> None:
    with burner() as process:
        tree = ProcessTree(process.pid)
        alone_pss, alone = tree.pss_kib(), tree.private_kib()
        with burner():
            pss, private = tree.pss_kib(), tree.private_kib()

    assert alone is not None
    assert alone_pss is not None
    assert pss is not None
    assert private == alone
    assert pss < alone_pss


def test_private_memory_is_what_a_process_has_allocated() -> None:
    with burner() as small, burner("ballast = b'x' * 30_000_000\n" + BURN) as large:
        smaller, larger = ProcessTree(small.pid).private_kib(), ProcessTree(large.pid).private_kib()

    assert smaller is not None
    assert larger is not None
    assert larger - smaller == pytest.approx(30_000_000 / 1024, rel=0.1)


def test_children_of_a_service_count_while_they_run_and_after_they_ended() -> None:
    """As PostgreSQL's do: it starts a process for each connection."""
    with burner(BURN_IN_CHILDREN) as process:
        meter = ServiceMeter(process.pid)
        before = meter.cpu_ns()
        burn(process, 0.1)
        after_one = meter.cpu_ns()
        burn(process, 0.1)
        after_two = meter.cpu_ns()

    assert before is not None
    assert after_one is not None
    assert after_two is not None
    assert after_one - before >= 90_000_000  # whole ticks of 10 ms
    assert after_two - after_one >= 90_000_000


def test_the_work_of_a_running_child_counts() -> None:
    with burner(BURN_IN_CHILD) as process:
        meter = ServiceMeter(process.pid)
        before = meter.cpu_ns()
        burn(process, 0.1)
        after = meter.cpu_ns()

    assert before is not None
    assert after is not None
    assert (after - before) / 1e9 == pytest.approx(0.1, abs=0.02)


def test_a_service_that_is_gone_is_not_measured() -> None:
    with burner() as process:
        meter = ServiceMeter(process.pid)
        assert meter.cpu_ns() is not None

    assert meter.cpu_ns() is None


def test_a_busy_cpu_shows_what_was_burnt_there_and_the_time_that_passed_at_most() -> None:
    cpus = tuple(os.sched_getaffinity(0))
    meters = SharedMeters(Metered(database_pid=os.getpid(), load_cpus=cpus))

    before, began_ns = meters.read(), time.monotonic_ns()
    own_ns = time.process_time_ns()
    while time.process_time_ns() < own_ns + 200_000_000:
        pass
    after, took_ns = meters.read(), time.monotonic_ns() - began_ns

    assert before.database_cpu_ns is not None
    assert after.database_cpu_ns is not None
    assert before.load_cpus_busy_ns is not None
    assert after.load_cpus_busy_ns is not None
    assert after.database_cpu_ns - before.database_cpu_ns >= 200_000_000
    tick_ns = 10_000_000 * len(cpus)
    assert 200_000_000 - 2 * tick_ns <= after.load_cpus_busy_ns - before.load_cpus_busy_ns
    assert after.load_cpus_busy_ns - before.load_cpus_busy_ns <= took_ns * len(cpus) + 2 * tick_ns


def test_what_is_not_ours_to_read_or_not_there_is_not_measured() -> None:
    reading = SharedMeters(Metered(server_cpus=(4095,))).read()

    assert (reading.database_cpu_ns, reading.redis_cpu_ns) == (None, None)
    assert (reading.server_cpus_busy_ns, reading.load_cpus_busy_ns) == (None, None)


def test_stolen_time_never_runs_backwards() -> None:
    first, second = steal_ms(), steal_ms()

    assert 0 <= first <= second
